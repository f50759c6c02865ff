"""Files as answers: whole, in ranges of bytes as GDAL reads them, or not again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response


def file_response(
    request: Request, path: Path, media_type: str, headers: Mapping[str, str]
) -> Response:
    """Return a file, or 304 where the client has it; what it asks of it, the file answers itself.

    Raises:
        OSError: it is not there.
    """
    status = os.stat(path)  # noqa: PTH116 - what FileResponse takes
    response = FileResponse(path, headers=headers, media_type=media_type, stat_result=status)
    known = request.headers.get("if-none-match", "")
    if response.headers["etag"] in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        kept = ("etag", "last-modified", *(name.lower() for name in headers))
        return Response(status_code=304, headers={key: response.headers[key] for key in kept})
    return response
