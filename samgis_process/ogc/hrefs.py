"""Inputs that a request does not hold: it says where they lie (`href`), and they are fetched."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from samgis_process.errors import Fault, InvalidRequest
from samgis_process.ogc.body import loads
from samgis_process.ogc.negotiation import is_json, parse
from samgis_process.ogc.validation import Input, Inputs

_UNSAID = "application/octet-stream"
_REMEDY = "Send the value itself."


class Fetched(NamedTuple):
    """What an address held; `media_type` is None where its server does not say."""

    media_type: str | None
    content: bytes


class Unfetched(NamedTuple):
    """Why an address gives nothing, and what would do."""

    message: str
    limit: str = ""


# Takes the addresses of one request, and returns what lies there, in the same order.
Fetch = Callable[[Sequence[str]], Sequence[Fetched | Unfetched]]


class _Reference(NamedTuple):
    place: str
    input: Input
    link: Mapping[str, Any]


def fetched(given: Mapping[str, Any], inputs: Inputs, fetch: Fetch) -> Mapping[str, Any]:
    """Return the inputs, each reference replaced by the qualified value that lies there.

    Raises:
        InvalidRequest: something could not be fetched, or is not what it is said to be.
    """
    found: list[_Reference] = []

    def collect(place: str, input_: Input, link: Mapping[str, Any]) -> Any:
        found.append(_Reference(place, input_, link))
        return link

    inputs.replaced(given, collect)
    if not found:
        return given
    answers = fetch([str(one.link["href"]) for one in found])
    values = [_value(one, answer) for one, answer in zip(found, answers, strict=True)]
    if faults := [value for value in values if isinstance(value, Fault)]:
        raise InvalidRequest(*faults)
    left = iter(values)
    return inputs.replaced(given, lambda *_: next(left))


def _value(reference: _Reference, answer: Fetched | Unfetched) -> dict[str, Any] | Fault:
    """Return what was fetched as if it had come in the request."""
    place = f"{reference.place}.href"
    if isinstance(answer, Unfetched):
        return Fault(place, answer.message, answer.limit, _REMEDY)
    media_type = _said(reference.link) or answer.media_type or _UNSAID
    try:
        encoding = reference.input.encoding(media_type)
        value = _decoded(media_type, encoding, answer.content, place)
    except InvalidRequest as error:
        return error.faults[0]
    except ValueError:
        message = f"does not hold {media_type[:80]}"
        return Fault(place, message, media_type[:80], "Correct what lies there, or its `type`.")
    return {"value": value, "mediaType": media_type}


def _said(link: Mapping[str, Any]) -> str | None:
    """Return the media type that a link names: its `type`, or the `format` of older drafts."""
    nested = link.get("format")
    nested = nested.get("mediaType") if isinstance(nested, Mapping) else nested
    return next((one for one in (link.get("type"), nested) if isinstance(one, str) and one), None)


def _decoded(media_type: str, encoding: str | None, content: bytes, place: str) -> Any:
    """Return JSON by its media type, text where it is wanted as such, else base64."""
    if is_json(media_type):
        return loads(content, place)
    name = parse(media_type).name
    if encoding is None and (name.startswith("text/") or name.endswith("xml")):
        return content.decode("utf-8-sig")
    return base64.b64encode(content).decode()
