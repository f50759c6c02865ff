"""What `doctor` looks at, one function for each thing that may be wrong."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import requests

from samgis_process.cli import serving
from samgis_process.errors import ModelUnavailable, NoData, SourceUnavailable
from samgis_process.grid import Bounds, GeoBox
from samgis_process.grid.geobox import zoom_to_fill
from samgis_process.inference import catalogue
from samgis_process.server import wiring
from samgis_process.settings import (
    ConfigurationError,
    GdalSettings,
    RasterSettings,
    SampleDemSettings,
    SampleSettings,
    Settings,
    SourceSettings,
    XyzSettings,
)
from samgis_process.sources import SourceCatalogue, SourceInfo
from samgis_process.sources.raster import RasterSource

NETWORK_S = 5.0  # for each step of one small read from a server
SIDE = 8  # pixels along that read
WHOLE = 256  # pixels along the whole source at the zoom of that read
SLOW_READ_S = 3.0
LITTLE_DISK = 2 * 2**30  # bytes free below which the disk deserves a word


class Outcome(NamedTuple):
    """What a check found; with a remedy it is a warning. A failure is raised."""

    message: str
    remedy: str = ""


Check = tuple[str, Callable[[], Outcome], str | Callable[[str], str]]


def all_checks(settings: Settings, host: str, port: int) -> Iterator[Check]:
    """Yield (name, check, what to do if it fails) in the order of what depends on what."""
    install = _model_remedy(settings)
    yield "model files", partial(model_files, settings), install
    yield "model run", partial(model_run, settings), install
    mend = "make it writable for this user, or choose another with SAMGIS_CACHE_DIR"
    yield "cache", partial(cache, settings), mend
    mend = "make it writable for this user, or choose another with SAMGIS_DATA_DIR"
    yield "results", partial(results, settings), mend
    yield (
        "disk",
        partial(disk, settings.cache.directory),
        "free some space, or move SAMGIS_CACHE_DIR",
    )
    for source_id, source in settings.sources.items():
        check = partial(read_source, settings, source_id, source)
        yield f"source {source_id}", check, partial(_source_remedy, source)
    yield "port", partial(port_free, host, port), "stop what listens there, or choose another PORT"
    yield "names", partial(names, settings, host), "write it as http(s)://name[:port]"


def _model_remedy(settings: Settings) -> str:
    model_id = settings.models.default
    if model_id in catalogue.entries():
        again = f"run `samgis-process models install {model_id}`"
        return f"{again}; if damaged, `samgis-process models remove {model_id}` first"
    known = ", ".join(catalogue.entries())
    return f"bring it with `samgis-process models add`, or choose one to install: {known}"


def model_files(settings: Settings) -> Outcome:
    """Compare the model's files with their digests."""
    directory = wiring.model_room(settings).directory(settings.models.default)
    manifest = catalogue.read_manifest(directory)
    if manifest is None:
        raise ModelUnavailable(f"{settings.models.default} is not installed in {directory.parent}")
    damaged = manifest.damaged(directory)
    if damaged:
        raise ModelUnavailable(f"{settings.models.default}: {', '.join(damaged)} damaged")
    return Outcome(f"{manifest.id} is installed and intact")


def model_run(settings: Settings) -> Outcome:
    """Run encoder and decoder once."""
    model = wiring.model_room(settings).default
    model.try_out()  # the first run also opens the sessions
    picture = np.zeros((WHOLE, WHOLE, 3), np.uint8)
    begun = time.perf_counter()
    seen = model.see(model.encode(picture))
    encoded = time.perf_counter()
    model.decode(seen, np.array([[9, 9]], np.float32), np.ones(1, np.float32), None)
    decoded = time.perf_counter()
    return Outcome(
        f"encoder {(encoded - begun) * 1000:.0f} ms, decoder {(decoded - encoded) * 1000:.0f} ms"
    )


def cache(settings: Settings) -> Outcome:
    """Write a file, and tell how full the stores are."""
    directory = settings.cache.directory
    _write_into(directory)
    stores = wiring.Caches.of(settings)
    parts = []
    for field in fields(stores):
        stats = getattr(stores, field.name).stats()
        parts.append(f"{field.name} {_size(stats.size_bytes)} of {_size(stats.max_bytes)}")
    return Outcome(f"{directory} is writable; {', '.join(parts)}")


def results(settings: Settings) -> Outcome:
    """Write a file where results are kept."""
    directory = settings.results.directory
    _write_into(directory)
    return Outcome(f"{directory} is writable; up to {_size(settings.results.max_bytes)}")


def _write_into(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise ConfigurationError(f"{directory} is a file where a directory should be") from error
    with tempfile.TemporaryFile(dir=directory) as probe:
        probe.write(b"x" * 4096)
        probe.flush()


def disk(directory: Path) -> Outcome:
    """Tell what is free where the cache lies, and whether the cache may fill it."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(there).free
    message = f"{_size(free)} free for the cache"
    if free < LITTLE_DISK:
        return Outcome(message, "free some, or lower samgis.cache.max_bytes")
    return Outcome(message)


def read_source(settings: Settings, source_id: str, source: SourceSettings) -> Outcome:
    """Open a source and read a few pixels from the middle of it."""
    sources = SourceCatalogue(
        {source_id: _impatient(source)}, source_id, settings.cache.directory, None
    )
    (known,) = sources.open_all()
    if known.reason:
        words = known.reason.removeprefix("source ").removeprefix(source_id).removeprefix(":")
        raise SourceUnavailable(words.strip())
    opened = sources.get(source_id)
    begun = time.perf_counter()
    remedies: list[str] = []
    try:
        remedies += opened.read(_middle(opened.info)).warnings
        read = "read"
    except NoData as error:
        read = "opened, though it holds nothing in its middle,"
        if "no data at all" in str(error):
            read, remedies = "it holds no data at all: opened", [error.faults[0].remedy]
    seconds = time.perf_counter() - begun
    if seconds > SLOW_READ_S:
        remedies.append("every first request will wait for it")
    if isinstance(opened, RasterSource):
        opened.probe()
    return Outcome(f"{read} in {seconds * 1000:.0f} ms", "; ".join(remedies))


def _impatient(source: SourceSettings) -> SourceSettings:
    """Return the source with short time-outs: whoever runs this waits for the answer."""
    if isinstance(source, XyzSettings):
        return source.model_copy(
            update={"read_timeout_s": NETWORK_S, "deadline_s": NETWORK_S, "retries": 0}
        )
    if isinstance(source, GdalSettings):
        short = {"GDAL_HTTP_TIMEOUT": f"{NETWORK_S:.0f}", "GDAL_HTTP_MAX_RETRY": "0"}
        return source.model_copy(update={"gdal_options": source.gdal_options | short})
    return source


def _middle(info: SourceInfo) -> GeoBox:
    """Return a few pixels in the middle of a source, at a zoom that shows most of it."""
    bounds, (lowest, highest) = info.bounds, info.zooms
    fits = math.floor(zoom_to_fill(bounds, WHOLE, info.tile_size))
    zoom = min(max(fits, lowest), highest)
    lng, lat = bounds.west + bounds.lng_span / 2, (bounds.south + bounds.north) / 2
    place = GeoBox.around(Bounds(lng, lat, lng, lat), zoom, info.tile_size)
    return replace(place, width=SIDE, height=SIDE)


def _source_remedy(source: SourceSettings, reason: str) -> str:
    """Return what to do about the fault that `reason` tells; much of it says so itself."""
    if isinstance(source, SampleSettings | SampleDemSettings):
        return "make SAMGIS_CACHE_DIR writable for this user"
    if isinstance(source, XyzSettings) or "did not answer" in reason:
        return "check the address, the key and the network; a running server tries again"
    name = source.path if isinstance(source, RasterSettings) else source.dataset
    remedies = {
        "no such file": f"put the file at {name}, or correct its name in the configuration",
        "permission denied": f"make {name} readable for this user",
        "which does not exist": "bring that file, or correct the one that names it",
        "it is empty": f"copy {name} anew: nothing is in it",
        "cut short": f"copy {name} anew, and compare it with its original: gdalinfo -checksum",
    }
    known = next((remedy for words, remedy in remedies.items() if words in reason), "")
    if known or ";" in reason:
        return known
    return "check the address, the key and the network; a running server tries again"


def port_free(host: str, port: int) -> Outcome:
    """Take the port for a moment."""
    try:
        for taken in serving.claim(host, port):
            with taken:
                taken.listen(1)
    except ConfigurationError as error:
        if not _is_ours(port):  # what to do about it stands beside it
            raise ConfigurationError(str(error).partition(";")[0]) from error
        return Outcome(f"a samgis-process answers on {port}", "stop it before starting another")
    return Outcome(f"{port} on {host} is free")


def _is_ours(port: int) -> bool:
    try:
        answer = requests.get(f"http://127.0.0.1:{port}/health", timeout=2).json()
    except (requests.RequestException, ValueError):
        return False
    return isinstance(answer, dict) and {"status", "models", "sources"} <= answer.keys()


def names(settings: Settings, host: str) -> Outcome:
    """Look whether clients can call the server by the names that it knows."""
    public, allowed = settings.server.public_url, settings.server.allowed_hosts
    for name in allowed:
        if "/" in name:
            raise ConfigurationError(f"samgis.server.allowed_hosts: {name!r} is an address")
    if public:
        parts = urlsplit(public)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(f"SAMGIS_PUBLIC_URL: {public!r} is no address of a server")
        return Outcome(f"links begin with {public}")
    if host not in {"127.0.0.1", "localhost", "::1"} and not allowed:
        return Outcome(
            f"it listens on {host}, but may be called by the loopback names only",
            "set SAMGIS_PUBLIC_URL, or samgis.server.allowed_hosts",
        )
    return Outcome(f"may be called as {', '.join([*allowed, 'localhost'])}")


def _size(size_bytes: int) -> str:
    return (
        f"{size_bytes / 2**20:.0f} MiB" if size_bytes < 2**30 else f"{size_bytes / 2**30:.1f} GiB"
    )
