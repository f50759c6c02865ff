"""The routes of the page, and what they work with."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samgis_process import __version__
from samgis_process.inference.room import ModelRoom
from samgis_process.inference.sessions import cores
from samgis_process.map import listing
from samgis_process.map.page import MapPage, base_path
from samgis_process.map.tiles import EMPTY, Place, Tile, tile
from samgis_process.ogc.owner import NOBODY, owner_of
from samgis_process.ogc.pool import WorkPool
from samgis_process.ogc.resource import Resource, json_response
from samgis_process.ogc.service_pages import PageOf
from samgis_process.settings import AccessSettings, LimitSettings
from samgis_process.sources import SourceCatalogue

TILES = "/map/tiles/{source}/{z}/{x}/{y}"
SOURCES = "/map/sources"
HIGHEST_ZOOM = 30

# Each source has threads of its own: one that is slow holds up no other. Tiles that are only
# passed on take threads that wait; drawing takes the processor, of which half is left to others.
PASSING = 6  # as many as a browser asks for at a time
QUEUE = 60

MAX_AGE_S = 3600  # a new version of a source has tiles at another address; not one of a server's


class MapRoom:
    """The map page's part of the server.

    Args:
        sources: what can be looked at.
        models: what can segment it.
        limits: what one request may ask for.
        access: whom the server asks for a key.
        public_url: the server's address; by default the one that the client used.
    """

    def __init__(
        self,
        sources: SourceCatalogue,
        models: ModelRoom,
        limits: LimitSettings,
        access: AccessSettings,
        public_url: str | None = None,
    ) -> None:
        self._sources = sources
        self._models = models
        self._limits = limits
        self._access = access
        self._public_url = public_url
        drawing = max(1, cores() // 2)
        threads = {name: PASSING if sources.has_tiles(name) else drawing for name in sources}
        self._pools = {name: WorkPool(most, QUEUE, most) for name, most in threads.items()}

    @property
    def pages(self) -> Mapping[str, PageOf]:
        """The pages of processes, by their ids."""
        return {"segment": MapPage(self._public_url)}

    def routes(self, title: str, *, has_jobs: bool) -> list[Route]:
        """Return the routes.

        Args:
            title: of the server.
            has_jobs: whether it makes jobs of what is not to be waited for.
        """

        async def sources(request: Request) -> Response:
            content = await run_in_threadpool(self._told, request)
            facts = {"title": title, "version": __version__, "has_jobs": has_jobs}
            return json_response(facts | content, headers={"Cache-Control": "no-cache"})

        return [Route(SOURCES, Resource(GET=sources)), Route(TILES, Resource(GET=self._tile))]

    def close(self) -> None:
        """Let running work end, and drop what waits."""
        for pool in self._pools.values():
            pool.close()

    def _told(self, request: Request) -> dict[str, Any]:
        return {
            "default": self._sources.default,
            "sources": listing.sources_of(self._sources, base_path(request, self._public_url)),
            "models": listing.models_of(self._models),
            "limits": listing.limits_of(self._limits),
            "terrain": listing.terrain(),
            "needs_key": bool(self._access.keys) and owner_of(request) == NOBODY,
        }

    async def _tile(self, request: Request) -> Response:
        name, place = request.path_params["source"], _place(request.path_params)
        pool = self._pools.get(name)
        if pool is None or place is None:
            raise HTTPException(404, "There is no such tile: /map/sources says which there are.")
        loop = asyncio.get_running_loop()
        drawn = await pool.run(partial(self._drawn, name, place, request, loop))
        return _answer(drawn, request)

    def _drawn(
        self, name: str, place: Place, request: Request, loop: asyncio.AbstractEventLoop
    ) -> Tile:
        # Who pans and zooms leaves tiles behind that nobody waits for any more.
        if asyncio.run_coroutine_threadsafe(request.is_disconnected(), loop).result():
            return EMPTY
        query = request.query_params
        source = self._sources.get(name)
        return tile(source, place, query.get("rendering"), query.get("layer"))


def _place(params: Mapping[str, str]) -> Place | None:
    numbers = [params[name] for name in ("z", "x", "y")]
    if not all(text.isascii() and text.isdigit() and len(text) <= 10 for text in numbers):
        return None
    place = Place(*map(int, numbers))
    there = place.zoom <= HIGHEST_ZOOM and max(place.x, place.y) < 1 << place.zoom
    return place if there else None


def _answer(drawn: Tile, request: Request) -> Response:
    """Return the tile, or that it has not changed."""
    shared = "public" if owner_of(request) == NOBODY else "private"
    headers = {
        "ETag": f'"{hashlib.sha256(drawn.content).hexdigest()[:32]}"',
        "Cache-Control": f"{shared}, max-age={MAX_AGE_S}",
    }
    known = {
        text.strip().removeprefix("W/")
        for text in request.headers.get("if-none-match", "").split(",")
    }
    if headers["ETag"] in known:
        return Response(status_code=304, headers=headers)
    return Response(drawn.content, headers=headers, media_type=drawn.media_type)
