"""A file as an answer: whole, in ranges of bytes, or not again to whoever has it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

_OF_304 = ("etag", "cache-control", "last-modified", "vary")


def file_response(
    path: Path, media_type: str, request: Request, headers: Mapping[str, str]
) -> Response:
    """Return the file, or 304; raises OSError where it is not there (any more)."""
    status = os.stat(path)  # noqa: PTH116 - what FileResponse takes
    response = FileResponse(path, headers=headers, media_type=media_type, stat_result=status)
    known = request.headers.get("if-none-match", "")
    if response.headers["etag"] in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        kept = {key: response.headers[key] for key in _OF_304 if key in response.headers}
        return Response(status_code=304, headers=kept)
    return response
