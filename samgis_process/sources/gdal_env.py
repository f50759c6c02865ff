"""How GDAL is told to behave on the network, and what its failures mean to a user."""

from __future__ import annotations

import logging
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from samgis_process import __version__
from samgis_process.errors import SamgisError, SourceDamaged, SourceTimeout, SourceUnavailable
from samgis_process.sources.place import spelled

USER_AGENT = f"samgis-process/{__version__}"
OPTIONS: dict[str, str] = {
    "GDAL_HTTP_USERAGENT": USER_AGENT,
    "GDAL_HTTP_CONNECTTIMEOUT": "5",
    "GDAL_HTTP_TIMEOUT": "30",
    "GDAL_HTTP_LOW_SPEED_TIME": "10",  # a server that drips a byte at a time is given up
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1000",
    "GDAL_HTTP_MAX_RETRY": "2",
    "GDAL_HTTP_RETRY_DELAY": "0.3",
    "GDAL_HTTP_MULTIRANGE": "YES",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_HTTP_MULTIPLEX": "YES",
    "GDAL_HTTP_VERSION": "2TLS",
    "VSI_CACHE": "TRUE",
    "VSI_CACHE_SIZE": "8000000",  # bytes for each open file
    # GDAL would write the tiles of a web service into the working directory, and never ask again.
    "GDAL_ENABLE_WMS_CACHE": "NO",
}
# Opening a COG over HTTP takes 2 requests with EMPTY_DIR, about 45 without: GDAL would look for
# each sidecar file it knows.
ALONE = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
# No address ends so: whatever a file on this machine may lead GDAL to, it is not asked for.
LOCAL = {"CPL_VSIL_CURL_ALLOWED_EXTENSIONS": f".{secrets.token_hex(16)}"}
# rasterio lets some of GDAL's errors through as they are.
FAILURES = (RasterioError, CPLE_BaseError, OSError)
_TIMEOUT = re.compile(r"time(d[ -])?[ -]?out|too slow|less than \d+ bytes", re.IGNORECASE)
_GONE = (" No such file or directory", " does not exist")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ELSEWHERE = re.compile(rb"domain\s*=\s*.(?:OVERVIEWS|GEOLOCATION)|OVERVIEW_FILE", re.IGNORECASE)
MAX_AUX = 2**20
_REMOTE = re.compile(r"https?://|ftp://|s3://|gs://|az://|^/vsi(?!mem|zip|tar|gzip|7z|rar|sub)")
_ADDRESS = re.compile(r"(?:https?|ftp)://\S+|/vsi\w+/\S+")
_WEB = re.compile(r"(?:/vsicurl/)?(https?://.+)", re.DOTALL)


def bound_cache(size_bytes: int) -> None:
    """Bound the blocks that GDAL keeps decoded in this process; by itself a twentieth of memory.

    GDAL reads the variable when it needs the cache for the first time. An operator's own wins.
    """
    os.environ.setdefault("GDAL_CACHEMAX", str(max(1, size_bytes // 2**20)))


def is_remote(dataset: str) -> bool:
    """Return whether reading `dataset` asks another machine."""
    return bool(_REMOTE.search(dataset))


def web_address(dataset: str) -> str | None:
    """Return the address of a dataset that is one file on a web server, or None."""
    found = _WEB.fullmatch(dataset)
    return found[1] if found else None


class _WithoutAddresses(logging.Filter):
    """GDAL's warnings quote the address it asked, with the key in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _ADDRESS.sub("(address)", record.getMessage()), ()
        return True


_DISCREET = _WithoutAddresses()


@contextmanager
def gdal(dataset: str, options: Mapping[str, str], *, fixed: bool = False) -> Iterator[None]:
    """Set GDAL's options for this thread while `dataset` is used.

    What a web server sent is forgotten when the file is closed: GDAL's own cache never asks
    whether the file is still the same, and would mix the blocks of two versions. Unless the
    operator vouches for it: then `fixed` is true.
    """
    for name in ("rasterio._env", "rasterio._err"):
        logging.getLogger(name).addFilter(_DISCREET)  # adds it once
    fresh: dict[str, Any] = {}
    if not fixed and (web := web_address(dataset)):
        fresh["CPL_VSIL_CURL_NON_CACHED"] = f"/vsicurl/{web}"
    local = plain_file(dataset)
    if local is not None:
        require_own_sidecars(local)
    where = ALONE if is_remote(dataset) else {} if local and _may_lead_on(local) else LOCAL
    with rasterio.Env(**(OPTIONS | where | fresh | dict(options))):
        yield


@contextmanager
def explained(source_id: str, dataset: str) -> Iterator[None]:
    """Turn GDAL's errors into ours. The message never holds GDAL's: it may carry a key.

    Raises:
        SourceTimeout: a server did not answer in time.
        SourceDamaged: files on this machine are not what they were, or never were.
        SourceUnavailable: any other failure.
    """
    try:
        yield
    except FAILURES as error:
        if not is_remote(dataset):
            raise damaged(source_id, dataset, error) from error
        if any(_TIMEOUT.search(text) for text in _chain(error)):
            raise SourceTimeout(f"{source_id} did not answer in time") from error
        raise SourceUnavailable(f"{source_id} cannot be read there") from error


def unopened(source_id: str, dataset: str, error: BaseException) -> SamgisError:
    """Return why a dataset cannot be opened, in words and without its directory."""
    if is_remote(dataset):
        try:
            with explained(source_id, dataset):
                raise error
        except SourceUnavailable as told:
            return told
    return damaged(f"source {source_id}", dataset, error)


def damaged(what: str, dataset: str, error: BaseException) -> SourceDamaged:
    """Return why files on this machine cannot be read; `what` begins the sentence."""
    name = "its dataset" if dataset.startswith("<") else spelled(dataset)
    gone = next(filter(None, map(_gone, _chain(error))), None)
    if gone and (member := spelled(gone)) != name:
        return SourceDamaged(f"{what}: {name} names {member}, which does not exist")
    try:
        with Path(dataset).open("rb") as file:
            reason = "" if file.read(1) else "it is empty"
    except OSError as trouble:
        # Names of GDAL's own, as `NETCDF:...`, are no files.
        other = plain_file(dataset) is None and not Path(dataset).is_absolute()
        reason = "" if other else (trouble.strerror or "").lower()
    reason = reason or "it is damaged, cut short, or of a format that GDAL does not know"
    return SourceDamaged(f"{what}: {name} cannot be read: {reason}")


def plain_file(dataset: str) -> Path | None:
    """Return the file that a name means without any syntax of GDAL's, if there is one."""
    if is_remote(dataset) or dataset.startswith(("<", "/vsi")):
        return None
    try:
        path = Path(dataset)
        return path if path.is_file() else None
    except (OSError, ValueError):  # longer than a file's name may be
        return None


def require_own_sidecars(path: Path) -> None:
    """Refuse files beside a raster that would lead GDAL elsewhere.

    Overviews and masks are TIFFs; anything else of such a name, as a VRT, could name any file or
    address. So could overviews that metadata beside the file speak of.

    Raises:
        SourceDamaged: there is one.
    """
    for ending in (".ovr", ".msk"):
        for beside in (Path(f"{path}{ending}"), path.with_suffix(ending)):
            if beside != path and beside.is_file() and _begin(beside, 4) not in _TIFF:
                raise SourceDamaged(f"{beside.name} beside {path.name} is no TIFF; remove it")
    for beside in (Path(f"{path}.aux.xml"), path.with_suffix(".aux.xml")):
        if beside.is_file() and _ELSEWHERE.search(_begin(beside, MAX_AUX)):
            raise SourceDamaged(
                f"{beside.name} beside {path.name} leads to other files; write it anew without "
                "OVERVIEWS and GEOLOCATION"
            )


def _may_lead_on(path: Path) -> bool:
    """Return whether a file is a text that names others, as its author wants: VRT, WMS, STAC."""
    return _begin(path, 64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{")


def _begin(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _gone(text: str) -> str:
    """Return the file of which a text says that it is not there; "" if it says so of none."""
    for words in _GONE:
        name, found, _ = text.partition(words)
        if found:
            name = name.removesuffix(":").rstrip("'\"`")
            return name[max(name.rfind(mark) for mark in "'\"`:") + 1 :].strip()
    return ""


def _chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__
