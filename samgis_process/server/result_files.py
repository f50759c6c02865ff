"""The files of results over HTTP, whole or in ranges of bytes, as GDAL reads them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from samgis_process.errors import NoSuchResult
from samgis_process.ogc.files import file_response
from samgis_process.ogc.owner import owner_of
from samgis_process.results import Found, ResultStore

PATH = "/results/{result_id}/{name}"


def result_file(store: ResultStore) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler of one file of a result."""

    async def get(request: Request) -> Response:
        names = request.path_params
        find = partial(store.find, names["result_id"], names["name"], owner_of(request))
        return await run_in_threadpool(_answer, find, names["result_id"], request)

    return get


def _answer(find: Callable[[], Found], result_id: str, request: Request) -> Response:
    found = find()
    try:
        return file_response(request, found.path, found.media_type, _headers(found))
    except OSError as error:  # made room for, just now
        raise NoSuchResult(
            f"The result {result_id} has just gone; run the process again."
        ) from error


def _headers(found: Found) -> dict[str, str]:
    """Return for how long a client may keep it: its content never changes."""
    left = max(0, int(found.expires.timestamp() - time.time()))
    return {"Cache-Control": f"private, max-age={left}, immutable"}
