"""From the bytes of a request's body to a JSON object."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from typing import Any

import orjson

from samgis_process.errors import Fault, InvalidRequest
from samgis_process.ogc.errors import UnsupportedMediaType
from samgis_process.ogc.negotiation import JSON, is_json
from samgis_process.ogc.wording import clipped, kind, place

MOST_DEPTH = 100  # levels of a body; what comes back holds parts of it, some levels deeper
MOST_VALUES = 150_000  # in one body: Python makes an object of each
_LARGE = 2**22  # bytes of a body that are not looked through again to say what is wrong
_PIECE = 2**20  # bytes looked through at once: meanwhile no other thread runs
_AROUND = 20  # characters shown before and after the place of a mistake


def require_json(content_type: str | None) -> None:
    """Refuse a body that is not said to be JSON.

    Pages of other sites may send bodies of some types, or of none, without asking first.

    Raises:
        UnsupportedMediaType: it is said to be something else, or nothing is said.
    """
    if not content_type:
        raise UnsupportedMediaType(
            f"The body is not said to be JSON. Send it with the header Content-Type: {JSON}."
        )
    if not is_json(content_type):
        raise UnsupportedMediaType(
            f"The body is said to be {clipped(content_type)}; this server reads {JSON}. "
            f"Send JSON, with the header Content-Type: {JSON}."
        )


def parse(body: bytes) -> dict[str, Any]:
    """Return the object that the body holds; an empty body is an empty object.

    Raises:
        InvalidRequest: it is no JSON, or no object, or holds NaN or Infinity; says where. Or it
            holds more values than this server reads at a time.
    """
    # Windows tools like to put a byte order mark in front.
    text = body.removeprefix(codecs.BOM_UTF8).strip()
    if not text:
        return {}
    try:
        value = loads(text, "body")
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(*_diagnosis(text, error)) from None
    if not isinstance(value, dict):
        raise InvalidRequest(
            Fault("body", f"is {kind(value)}", "a JSON object", 'Send {"inputs": {...}}.')
        )
    return value


def loads(text: bytes, name: str) -> Any:
    """Return the value of a JSON text; `name` is what messages call it.

    Raises:
        InvalidRequest: it holds more values than this server reads at a time, or too deep inside.
        orjson.JSONDecodeError: it is no JSON.
    """
    # Between two values stands a comma or a colon; those inside of texts count, too.
    if (parts := _parts(text)) > MOST_VALUES:
        message = f"is made of {parts} parts (commas and colons)"
        remedy = "Send them in several requests."
        raise InvalidRequest(Fault(name, message, f"{MOST_VALUES} parts", remedy))
    value = orjson.loads(text)
    if _is_deep(value):
        limit = f"{MOST_DEPTH} levels"
        raise InvalidRequest(Fault(name, "is nested too deeply", limit, "Send flatter values."))
    return value


def mentions(text: bytes, word: bytes) -> bool:
    """Return whether a word stands in a text, letting other threads run meanwhile."""
    starts = range(0, len(text), _PIECE)
    return any(text.find(word, at, at + _PIECE + len(word)) >= 0 for at in starts)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH + 1):
        level = [one for one in level if isinstance(one, dict | list)]
        if not level:
            return False
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [item for items in inner for item in items]
    return True


def _parts(text: bytes) -> int:
    starts = range(0, len(text), _PIECE)
    return sum(text.count(mark, at, at + _PIECE) for at in starts for mark in (b",", b":"))


def _diagnosis(body: bytes, error: json.JSONDecodeError) -> list[Fault]:
    """Return what is wrong with a body that is no JSON; of a large one, less precisely."""
    if len(body) > _LARGE:
        return [_malformed(error.doc, error)]
    try:
        text = body.decode()
    except UnicodeDecodeError as failure:
        message = f"byte {failure.start} is not UTF-8"
        return [Fault("body", message, "JSON in UTF-8", "Encode the body as UTF-8.")]
    return _non_finite(text) or [_malformed(text, error)]


def _non_finite(text: str) -> list[Fault]:
    """Return a fault for each NaN and Infinity of what is JSON but for these.

    Python's own encoder writes them, and so do many clients without knowing it.
    """
    try:
        value = json.loads(text)
        found = list(_non_finite_places(value, ()))
    except (ValueError, RecursionError):
        return []
    return [_not_a_number(path, number) for path, number in found[:20]]


def _not_a_number(path: tuple[str | int, ...], number: float) -> Fault:
    # Inputs go by their names, without the member that holds them all.
    root, *below = path[1:] if path[:1] == ("inputs",) and len(path) > 1 else ("body", *path)
    name = "NaN" if math.isnan(number) else "-Infinity" if number < 0 else "Infinity"
    remedy = "Send a number, or leave it out."
    return Fault(place(str(root), below), f"is {name}", "a finite number", remedy)


def _non_finite_places(
    value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], float]]:
    if isinstance(value, float) and not math.isfinite(value):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _non_finite_places(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _non_finite_places(item, (*path, index))


def _malformed(text: str, error: json.JSONDecodeError) -> Fault:
    near = text[max(error.pos - _AROUND, 0) : error.pos + _AROUND]
    where = f"line {error.lineno}, column {error.colno}"
    return Fault(
        "body", f"is not JSON at {where}: {error.msg}, near {near!r}", "JSON", "Correct it there."
    )
