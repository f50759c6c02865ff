"""Style sheets, scripts and pictures of pages: files of a package, read by anybody."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from samgis_process.ogc.resource import Resource

PATH = "/assets/{room}/{name:path}"
OWN = Path(__file__).parent / "static"


def assets_route(directories: Mapping[str, Path]) -> Route:
    """Return the route that serves the files of directories, each by a name of its own.

    Browsers keep them, and ask each time whether they changed: a new version of the server then
    never meets the scripts of an old one. They go compressed, whatever the server does to answers.
    """
    served = {room: StaticFiles(directory=path) for room, path in directories.items()}

    async def asset(request: Request) -> Response:
        files = served.get(request.path_params["room"])
        if files is None:
            raise HTTPException(404, "There is nothing at this address.")
        response = await files.get_response(request.path_params["name"], request.scope)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    smaller = Middleware(GZipMiddleware, minimum_size=500, compresslevel=6)
    return Route(PATH, Resource(GET=asset), middleware=[smaller])
