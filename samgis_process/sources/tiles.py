"""Map tiles over HTTP: one pooled session, a few threads, time-outs, retries, a deadline."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import requests
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3Timeout
from urllib3.util import Retry

from samgis_process import __version__
from samgis_process.errors import NoData, SourceTimeout, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.sources.base import RawImage, SourceInfo

USER_AGENT = f"samgis-process/{__version__}"
ABSENT = frozenset({204, 404, 410})  # how tile servers say that there is no such tile
BUSY = (429, 500, 502, 503, 504)  # worth another try
MAX_TILE_BYTES = 16 * 2**20

Rgba = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Transport:
    """How patient and how parallel to be; seconds."""

    threads: int = 8
    connect_timeout_s: float = 3.05
    read_timeout_s: float = 10.0
    deadline_s: float = 60.0
    retries: int = 2


class TileSource:
    """XYZ tiles from a template with {z}, {x} and {y}, or {-y} where rows count from the south."""

    def __init__(self, info: SourceInfo, template: str, transport: Transport) -> None:
        self.info = info
        self._template = template
        self._transport = transport
        self._session = _session(transport)

    def read(self, grid: GeoBox) -> RawImage:
        """Fetch the tiles that cover `grid` and cut the window out of them."""
        places = list(grid.tiles())
        size = grid.tile_size
        rgba = np.zeros((grid.height, grid.width, 4), np.uint8)
        found = False
        for (x, y), tile in zip(places, self._fetch_all(grid, places), strict=True):
            if tile is not None:
                found = True
                _paste(rgba, tile, x * size - grid.col_off, y * size - grid.row_off)
        valid = rgba[..., 3] > 0
        if not found or not valid.any():
            raise NoData(
                "bbox",
                f"{self.info.id} has no tile there at zoom {grid.zoom}",
                limit="the source's bounds: {:g}, {:g}, {:g}, {:g}".format(*self.info.bounds),
                remedy="choose another window or zoom",
            )
        return RawImage(rgba[..., :3].transpose(2, 0, 1), valid)

    def _fetch_all(self, grid: GeoBox, places: list[tuple[int, int]]) -> Iterator[Rgba | None]:
        """Yield each place's tile, or None where the server has none."""
        deadline = time.monotonic() + self._transport.deadline_s
        stop = threading.Event()
        with ThreadPoolExecutor(self._transport.threads, "tiles") as pool:
            jobs = [pool.submit(self._fetch, grid, x, y, deadline, stop) for x, y in places]
            try:
                for job in jobs:
                    yield job.result()
            finally:
                stop.set()
                pool.shutdown(cancel_futures=True)

    def _fetch(
        self, grid: GeoBox, x: int, y: int, deadline: float, stop: threading.Event
    ) -> Rgba | None:
        count = 1 << grid.zoom
        name = f"tile {grid.zoom}/{x % count}/{y} of {self.info.id}"
        if stop.is_set() or time.monotonic() > deadline:
            raise SourceTimeout(f"{name} did not come within {self._transport.deadline_s:g} s")
        data = self._get(_fill(self._template, grid.zoom, x % count, y), name, deadline)
        return None if data is None else _decode(data, grid.tile_size, name)

    def _get(self, url: str, name: str, deadline: float) -> bytes | None:
        """Return a tile's bytes. Messages never hold the address: it may carry a key."""
        timeouts = (self._transport.connect_timeout_s, self._transport.read_timeout_s)
        try:
            with self._session.get(url, timeout=timeouts, stream=True) as answer:
                if answer.status_code in ABSENT:
                    return None
                if answer.status_code != requests.codes.ok:
                    raise SourceUnavailable(f"{name}: the server answered {answer.status_code}")
                return _body(answer, name, deadline)
        except (requests.RequestException, HTTPError) as error:
            if _is_timeout(error):
                raise SourceTimeout(f"{name}: the server did not answer in time") from error
            raise SourceUnavailable(f"{name}: the server cannot be reached") from error


def _session(transport: Transport) -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = USER_AGENT
    retry = Retry(
        total=transport.retries,
        backoff_factor=0.3,
        status_forcelist=BUSY,
        raise_on_status=False,
        respect_retry_after_header=False,  # a server could make us wait for hours
    )
    adapter = HTTPAdapter(pool_maxsize=transport.threads * 4, max_retries=retry)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _is_timeout(error: BaseException | None) -> bool:
    """Look into what requests wraps: a time-out after retries arrives as a connection error.

    urllib3 counts a refused connection among its time-outs; it is none.
    """
    if isinstance(error, NewConnectionError):
        return False
    if error is None or isinstance(error, requests.Timeout | TimeoutError | Urllib3Timeout):
        return error is not None
    inner = getattr(error, "reason", None) or next(iter(error.args), None)
    return _is_timeout(inner if isinstance(inner, BaseException) else None)


def _fill(template: str, z: int, x: int, y: int) -> str:
    south = (1 << z) - 1 - y
    values = {"{z}": z, "{x}": x, "{y}": y, "{-y}": south, "{s}": "abc"[(x + y) % 3], "{r}": ""}
    for placeholder, value in values.items():
        template = template.replace(placeholder, str(value))
    return template


def _body(answer: requests.Response, name: str, deadline: float) -> bytes:
    """Read in pieces: a server that drips a byte at a time never trips the read time-out."""
    data = bytearray()
    while piece := answer.raw.read1(64 * 1024, decode_content=True):
        data += piece
        if len(data) > MAX_TILE_BYTES:
            raise SourceUnavailable(f"{name} has more than {MAX_TILE_BYTES} bytes")
        if time.monotonic() > deadline:
            raise SourceTimeout(f"{name} did not come in time")
    return bytes(data)


def _decode(data: bytes, size: int, name: str) -> Rgba:
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF")) as image:
            if image.size != (size, size):
                width, height = image.size
                raise SourceUnavailable(
                    f"{name} is {width} x {height} pixels, but {size} x {size} is configured"
                )
            return np.asarray(image.convert("RGBA"))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise SourceUnavailable(f"{name} is no picture") from error


def _paste(target: Rgba, tile: Rgba, col: int, row: int) -> None:
    """Put `tile` with its corner at (col, row), which may lie outside, into `target`."""
    rows = slice(max(0, row), min(target.shape[0], row + tile.shape[0]))
    cols = slice(max(0, col), min(target.shape[1], col + tile.shape[1]))
    target[rows, cols] = tile[
        rows.start - row : rows.stop - row, cols.start - col : cols.stop - col
    ]
