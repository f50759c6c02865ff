"""Windows out of map tiles: which ones, from the cache or the server, put together."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import NoData, SourceTimeout, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.sources.base import ABSENT, RawImage, SourceInfo
from samgis_process.sources.hosts import Budget, Forbidden, OutOfTime, Pace, Refused
from samgis_process.sources.http import Answer, HttpClient, Transport
from samgis_process.sources.progress import wait_telling
from samgis_process.sources.tile_cache import Kept, TileCache, tile_key
from samgis_process.sources.tile_images import Rgba, decode, paste
from samgis_process.terrain import Encoding, plausible
from samgis_process.terrain import decode as decode_elevation

__all__ = ["Template", "TileSource", "Transport"]

State = Literal["there", "stale", "absent", "forbidden"]

# Share of the deadline after which requests end by themselves: what is left is for stale tiles,
# and for saying which tile it was.
WORKING = 0.95


@dataclass(frozen=True, slots=True)
class Template:
    """Addresses of tiles: {z}, {x}, and {y} or {-y}, where rows count from the south.

    Attributes:
        text: the address with placeholders; {s} is a subdomain, {r} the mark of a denser tile.
        subdomains: what {s} may be.
        density: what {r} is.
    """

    text: str
    subdomains: Sequence[str] = ("a", "b", "c")
    density: str = ""

    def url(self, z: int, x: int, y: int) -> str:
        """Return the address of a tile; the same tile has always the same one."""
        values = {
            "{z}": str(z),
            "{x}": str(x),
            "{y}": str(y),
            "{-y}": str((1 << z) - 1 - y),
            "{s}": self.subdomains[(x + y) % len(self.subdomains)],
            "{r}": self.density,
        }
        text = self.text
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        return text


class _Tile(NamedTuple):
    """A tile as its server sent it and as pixels; neither, where the server has none."""

    body: bytes | None
    pixels: Rgba | None
    state: State


class TileSource:
    """XYZ tiles.

    Args:
        info: what users see of the source.
        template: addresses of its tiles.
        transport: how patient and how parallel to be.
        client: connections and hosts, shared by sources; its own without.
        cache: where tiles are kept; None: nowhere.
        encoding: how colours stand for elevation; None: they are colours.
    """

    def __init__(
        self,
        info: SourceInfo,
        template: Template | str,
        transport: Transport,
        client: HttpClient | None = None,
        cache: TileCache | None = None,
        encoding: Encoding | None = None,
    ) -> None:
        self.info = info
        self._encoding = encoding
        self._template = Template(template) if isinstance(template, str) else template
        self._transport = transport
        self._client = client or HttpClient()
        self._cache = cache
        self._pace = Pace(transport.max_rate)
        self._pool = ThreadPoolExecutor(transport.threads, f"tiles-{info.id}")

    def read(
        self,
        grid: GeoBox,
        bands: tuple[int, ...] | None = None,
        *,
        heights: bool = False,  # noqa: ARG002  what tiles hold is known from their encoding
    ) -> RawImage:
        """Fetch the tiles that cover `grid` and cut the window out of them."""
        rgba = np.zeros((grid.height, grid.width, 4), np.uint8)
        count = self._fetch_all(grid, rgba)
        valid = rgba[..., 3] > 0
        self._require(valid, "tile", grid)
        if self._encoding:
            elevation = decode_elevation(rgba[..., :3], self._encoding)
            valid &= plausible(elevation, self._encoding)
            self._require(valid, "elevation", grid)
            return RawImage(elevation[None], valid, warnings=self._warnings(count))
        channels = rgba.transpose(2, 0, 1)
        # A view where it can be: a copy of a window costs as much as five of its tiles.
        chosen = channels[[band - 1 for band in bands]] if bands else channels[:3]
        return RawImage(chosen, valid, warnings=self._warnings(count))

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """Return a tile as its server sent it, a whole picture; None where there is none.

        Raises:
            SourceUnavailable: the server does not answer, or answers nonsense.
        """
        budget = Budget(time.monotonic() + self._transport.deadline_s)
        name = f"tile {zoom}/{x}/{y} of {self.info.id}"
        return self._tile(self._template.url(zoom, x, y), self.info.tile_size, name, budget).body

    def _require(self, valid: NDArray[np.bool_], what: str, grid: GeoBox) -> None:
        if not valid.any():
            raise NoData(
                "bbox",
                f"{self.info.id} has no {what} there at zoom {grid.zoom}",
                limit="the source's bounds: {:g}, {:g}, {:g}, {:g}".format(*self.info.bounds),
                remedy="choose another window or zoom",
            )

    def _fetch_all(self, grid: GeoBox, rgba: Rgba) -> Counter[State]:
        """Put every tile into `rgba`; return how many there are in each state."""
        seconds = self._transport.deadline_s
        budget = Budget(time.monotonic() + WORKING * seconds)
        jobs = {
            self._pool.submit(self._place, grid, x, y, rgba, budget): self._name(grid, x, y)
            for x, y in grid.tiles()
        }
        with _Ended(jobs, budget):
            done, pending = wait_telling(jobs, seconds)
            states = Counter(job.result() for job in _failed_first(done))
            if states["forbidden"] and not states["there"] + states["stale"]:
                name = next(jobs[job] for job in done if job.result() == "forbidden")
                raise Forbidden(f"{name}: the server answered 403")
            for job in pending:
                raise SourceTimeout(f"{jobs[job]} did not come within {seconds:g} s")
            return states

    def _place(self, grid: GeoBox, x: int, y: int, rgba: Rgba, budget: Budget) -> State:
        """Fetch, decode and paste one tile, all in the worker's thread."""
        url = self._template.url(grid.zoom, x % (1 << grid.zoom), y)
        try:
            tile = self._tile(url, grid.tile_size, self._name(grid, x, y), budget)
        except Forbidden:  # some servers say so of whatever they do not have
            return "forbidden"
        if tile.pixels is not None:
            size = grid.tile_size
            paste(rgba, tile.pixels, x * size - grid.col_off, y * size - grid.row_off)
        return tile.state

    def _tile(self, url: str, size: int, name: str, budget: Budget) -> _Tile:
        """Return a tile from the cache or the server; a stale one if the server fails."""
        key = tile_key(self.info.version, size, url)
        kept = self._cache.get(key) if self._cache else None
        if kept and kept.fresh:
            return _decoded(kept.body, size, name)
        try:
            answer = self._ask(url, name, budget, kept)
            return self._take(answer, key, kept, size, name)
        except Refused:
            raise
        except SourceUnavailable:
            if kept is None or not kept.stale_ok:
                raise
            tile = _decoded(kept.body, size, name)
            return tile if tile.state == "absent" else tile._replace(state="stale")

    def _ask(self, url: str, name: str, budget: Budget, kept: Kept | None) -> Answer:
        self._pace.wait(name, budget)
        if kept is None:
            return self._client.get(url, name, self._transport, budget)
        # With an old tile at hand nobody should wait for a server that is slow to fail.
        patience = replace(self._transport, retries=0) if kept.stale_ok else self._transport
        return self._client.get(url, name, patience, budget, kept.ask)

    def _take(self, answer: Answer, key: str, kept: Kept | None, size: int, name: str) -> _Tile:
        """Keep what came, once it is known to be a picture."""
        if answer.status == 304:
            if kept is None:
                raise SourceUnavailable(f"{name}: the server answered 304 to a first request")
            if self._cache:
                self._cache.renew(key, answer.headers)
            return _decoded(kept.body, size, name)
        body = answer.body or None if answer.status == 200 else None
        tile = _decoded(body, size, name)
        if self._cache:
            self._cache.keep(key, answer.headers, body)
        return tile

    def _name(self, grid: GeoBox, x: int, y: int) -> str:
        return f"tile {grid.zoom}/{x % (1 << grid.zoom)}/{y} of {self.info.id}"

    def _warnings(self, count: Counter[State]) -> tuple[str, ...]:
        texts: dict[State, str] = {
            "absent": ABSENT,
            "forbidden": "are kept from us (403), and count as absent",
            "stale": "are old ones from the cache: the server does not answer",
        }
        total = count.total()
        return tuple(
            f"{count[state]} of {total} tiles of {self.info.id} {text}"
            for state, text in texts.items()
            if count[state]
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Ended:
    """Ends what is left of a read when it is over.

    Where nobody wants the window any more, which is no error, waits for it too: it keeps threads
    and connections that the next window needs, and who cannot wait for them ends the process.
    """

    jobs: Collection[Future[State]]
    budget: Budget

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.budget.stop.set()
        for job in self.jobs:
            job.cancel()
        if kind and not issubclass(kind, Exception):
            wait(self.jobs)


def _failed_first(jobs: set[Future[State]]) -> list[Future[State]]:
    """Put the server's failures first, so that the reason is raised and not its consequences."""
    return sorted(jobs, key=lambda job: (job.exception() is None, _is_late(job)))


def _is_late(job: Future[State]) -> bool:
    return isinstance(job.exception(), OutOfTime)


def _decoded(body: bytes | None, size: int, name: str) -> _Tile:
    if body is None:
        return _Tile(None, None, "absent")
    pixels = decode(body, size, name)
    return _Tile(None, None, "absent") if pixels is None else _Tile(body, pixels, "there")
