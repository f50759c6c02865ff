"""A file as an answer: whole, in ranges of bytes, or not again to whoever has it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

_ONE = r"\d{1,18}-\d{0,18}|-\d{1,18}"
_RANGE = re.compile(rf"bytes\s*=\s*({_ONE})(\s*,\s*({_ONE})){{0,19}}", re.ASCII | re.IGNORECASE)
_OF_304 = ("etag", "cache-control", "last-modified", "vary")


def file_response(
    path: Path, media_type: str, request: Request, headers: Mapping[str, str]
) -> Response:
    """Return the file, or 304; raises OSError where it is not there (any more)."""
    _ignore_strange_range(request)
    status = os.stat(path)  # noqa: PTH116 - what FileResponse takes
    response = FileResponse(path, headers=headers, media_type=media_type, stat_result=status)
    known = request.headers.get("if-none-match", "")
    if response.headers["etag"] in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        kept = {key: response.headers[key] for key in _OF_304 if key in response.headers}
        return Response(status_code=304, headers=kept)
    return response


def _ignore_strange_range(request: Request) -> None:
    """Leave out a Range header that is none: such a request is for all of it.

    Source: RFC 9110, section 14.2; starlette would answer 400. Many small ranges cost much.
    """
    text = request.headers.get("range")
    if text is not None and not (_RANGE.fullmatch(text.strip()) and _is_upward(text)):
        kept = [header for header in request.scope["headers"] if header[0] != b"range"]
        request.scope["headers"] = kept


def _is_upward(text: str) -> bool:
    pairs = [part.strip().split("-") for part in text.partition("=")[2].split(",")]
    return all(int(first) <= int(last) for first, last in pairs if first and last)
