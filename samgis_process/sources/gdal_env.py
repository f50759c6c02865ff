"""How GDAL is told to behave on the network, and what its failures mean to a user."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import rasterio
from rasterio.errors import RasterioError

from samgis_process import __version__
from samgis_process.errors import SourceTimeout, SourceUnavailable

USER_AGENT = f"samgis-process/{__version__}"
# Opening a COG over HTTP takes 2 requests with EMPTY_DIR, about 45 without: GDAL would look for
# each sidecar file it knows.
OPTIONS: dict[str, str] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
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
_TIMEOUT = re.compile(r"time(d[ -])?[ -]?out|too slow|less than \d+ bytes", re.IGNORECASE)
_REMOTE = re.compile(r"https?://|ftp://|s3://|gs://|az://|^/vsi(?!mem|zip|tar|gzip|7z|rar|sub)")
_ADDRESS = re.compile(r"(?:https?|ftp)://\S+|/vsi\w+/\S+")
_WEB = re.compile(r"(?:/vsicurl/)?(https?://.+)", re.DOTALL)


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
    with rasterio.Env(**(OPTIONS | fresh | dict(options))):
        yield


@contextmanager
def explained(source_id: str) -> Iterator[None]:
    """Turn GDAL's errors into ours. The message never holds GDAL's: it may carry a key.

    Raises:
        SourceTimeout: a server did not answer in time.
        SourceUnavailable: any other failure.
    """
    try:
        yield
    except (RasterioError, OSError) as error:
        if any(_TIMEOUT.search(text) for text in _chain(error)):
            raise SourceTimeout(f"{source_id} did not answer in time") from error
        raise SourceUnavailable(f"{source_id} cannot be read there") from error


def _chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__
