"""Outputs of a run as the answer to a request."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from typing import Any, Literal

import orjson
from starlette.responses import Response

from samgis_process.ogc.delivery import Delivery, Keep, Reference, Shape, suffix
from samgis_process.ogc.negotiation import JSON, is_json
from samgis_process.ogc.process import Context, Output

Kind = Literal["json", "text", "bytes"]

NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")  # of files


Delivered = Mapping[str, Output | Reference]


def referred(
    outputs: Mapping[str, Output], delivery: Delivery, keep: Keep | None, context: Context
) -> Delivered:
    """Return the outputs, those that go by reference replaced by where they are kept."""
    chosen = {
        name: output
        for name, output in outputs.items()
        if keep and delivery.by_reference(name, _size(output, delivery))
    }
    kept = keep(chosen, context) if keep and chosen else {}
    return {name: kept.get(name, output) for name, output in outputs.items()}


def _size(output: Output, delivery: Delivery) -> int:
    return len(to_bytes(output)) if delivery.preferred == "minimal" else 0


def response(outputs: Delivered, shape: Shape | None, *, several: bool | None = None) -> Response:
    """Return the outputs in the shape that was asked for.

    Of one output, `raw` is the default; of several, it is the document: every client reads JSON,
    few read multipart.

    Args:
        several: whether more than one was requested, which counts however many there are.
    """
    several = len(outputs) > 1 if several is None else several
    if not outputs:
        return Response(status_code=204)
    if shape == "document" or (shape is None and several):
        return Response(_json(document(outputs)), media_type=JSON)
    references = {name: o for name, o in outputs.items() if isinstance(o, Reference)}
    if len(references) == len(outputs):
        return _linked(references)
    if several:
        return _multipart(outputs)
    ((name, output),) = ((name, o) for name, o in outputs.items() if isinstance(o, Output))
    headers = file_headers(name, output.media_type, kind(output))
    return Response(to_bytes(output), headers=headers, media_type=output.media_type)


def file_headers(name: str, media_type: str, kind_: Kind) -> dict[str, str]:
    """Return what names an output that is a file (RFC 6266); a picture is still to be shown."""
    if kind_ != "bytes":
        return {}
    stem = NOT_IN_NAMES.sub("-", name)
    return {"Content-Disposition": f'inline; filename="{stem}{suffix(media_type)}"'}


def _linked(references: Mapping[str, Reference]) -> Response:
    """Return one link for each output, and no content.

    Source: 18-062r2, /req/core/process-execute-sync-raw-ref.
    """
    answer = Response(status_code=204)
    for name, reference in references.items():
        answer.headers.append("Link", reference.header(name))
    return answer


def document(outputs: Delivered) -> dict[str, Any]:
    """Return the standard's results document: outputs by id, objects and files qualified."""
    return {name: _inline(output) for name, output in outputs.items()}


def _inline(output: Output | Reference) -> Any:
    if isinstance(output, Reference):
        return output.link()
    if isinstance(output.value, bytes):
        text = base64.b64encode(output.value).decode()
        return {"value": text, "encoding": "base64", "mediaType": output.media_type}
    if isinstance(output.value, dict):
        return {"value": output.value, "mediaType": output.media_type}
    return output.value


def kind(output: Output) -> Kind:
    """Return what `to_bytes` makes bytes of."""
    if isinstance(output.value, bytes):
        return "bytes"
    return "text" if isinstance(output.value, str) and not is_json(output.media_type) else "json"


def from_bytes(media_type: str, kind_: Kind, content: bytes) -> Output:
    """Return the output that `to_bytes` made bytes of."""
    if kind_ == "bytes":
        return Output(media_type, content)
    return Output(media_type, content.decode() if kind_ == "text" else orjson.loads(content))


def to_bytes(output: Output) -> bytes:
    """Return the output as it goes over the wire."""
    match kind(output):
        case "bytes":
            return bytes(output.value)
        case "text":
            return str(output.value).encode()
        case _:
            return _json(output.value)


def _json(value: Any) -> bytes:
    return orjson.dumps(value)


def _multipart(outputs: Delivered) -> Response:
    """Return one part for each output (RFC 2387)."""
    boundary = uuid.uuid4().hex
    parts = [_part(boundary, name, output) for name, output in outputs.items()]
    first = next(iter(outputs.values())).media_type
    media_type = f'multipart/related; boundary={boundary}; type="{first}"'
    return Response(b"".join(parts) + f"--{boundary}--\r\n".encode(), media_type=media_type)


def _part(boundary: str, name: str, output: Output | Reference) -> bytes:
    head = f"--{boundary}\r\nContent-Type: {output.media_type}\r\nContent-ID: <{name}>\r\n"
    if isinstance(output, Reference):
        return f"{head}Content-Location: {output.href}\r\n\r\n\r\n".encode()
    return f"{head}\r\n".encode() + to_bytes(output) + b"\r\n"
