"""Values, kinds and places of a request, in words for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import orjson

LONGEST = 80  # characters of a value that a message repeats
_KINDS = {
    "string": "a string",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "null": "null",
    "array": "an array",
    "object": "an object",
}


def shown(value: Any) -> str:
    """Return the value as JSON, cut where it gets long."""
    if isinstance(value, str):  # cut first: it may be megabytes of base64
        value = value[: LONGEST + 1]
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError):  # what stock pygeoapi hands over need not be JSON
        text = repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def kind(value: Any) -> str:
    """Return what sort of JSON value it is."""
    for python, name in ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number")):
        if isinstance(value, python):
            return _KINDS[name]
    if value is None:
        return _KINDS["null"]
    return _KINDS["array" if isinstance(value, list) else "object"]


def kinds(types: str | Iterable[str]) -> str:
    """Return JSON Schema's `type` in words."""
    names = [types] if isinstance(types, str) else types
    return one_of(_KINDS.get(name, name) for name in names)


def one_of(words: Iterable[str]) -> str:
    """Return `a, b or c`, without repeats."""
    *head, last = dict.fromkeys(words) or [""]
    return f"{', '.join(head)} or {last}" if head else last


def counted(number: int, unit: str) -> str:
    """Return `1 item`, `2 items`."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def place(root: str, path: Iterable[str | int]) -> str:
    """Return where a value is, as in `prompt[3].data.lat`."""
    for part in path:
        if isinstance(part, int):
            root += f"[{part}]"
        else:
            root += f".{clipped(part)}" if part.isidentifier() else f"[{shown(part)}]"
    return root


def clipped(name: str) -> str:
    """Return a name that came with a request, short enough for a message."""
    return name if len(name) <= LONGEST else name[: LONGEST - 3] + "..."


def nearest(name: Any, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, if one looks alike."""
    if not isinstance(name, str):
        return None
    by_lower = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name[:LONGEST].lower(), by_lower, 1)
    return by_lower[near[0]] if near else None


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """Return the question, or nothing where no known name looks alike."""
    near = nearest(name, known)
    return f"Did you mean {near}?" if near else ""
