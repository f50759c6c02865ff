"""Fetch one file from an address, and find it to be what was expected."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import requests

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import FileSpec, sha256_of
from samgis_process.weights import package_index

Report = Callable[[str, float | None], None]

CONNECT_TIMEOUT_S = 3  # behind a closed firewall nothing answers at all
READ_TIMEOUT_S = 20
CHUNK_BYTES = 2**20
SLOW_AFTER_S, SLOW_BYTES_PER_S = 20, 50_000  # slower than that, the next origin is tried
PART = ".part"  # ends the name of what is not whole yet

_REMEDY = "it is damaged or another file, so get it from another place"


def download(
    http: requests.Session, url: str, expected: FileSpec, to: Path, report: Report
) -> Path:
    """Return `to` after fetching `url` and finding it to be what was expected.

    Raises:
        ModelUnavailable: it is another file, or it comes too slowly.
        OSError: no connection, or the answer is an error (`requests.RequestException`).
    """
    part = to.with_name(to.name + PART)
    if urlsplit(url).scheme == "file":
        shutil.copyfile(package_index.local_path(url), part)
    else:
        timeouts = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        with http.get(url, stream=True, timeout=timeouts) as answer:
            answer.raise_for_status()
            _save(answer, expected, part, lambda share: report(_progress(url, expected), share))
    return verified(part, expected).replace(to)


def verified(path: Path, expected: FileSpec) -> Path:
    """Return `path` if it holds what was expected.

    Raises:
        ModelUnavailable: it does not; the message says what was found.
    """
    size = path.stat().st_size
    if size != expected.bytes:
        raise ModelUnavailable(
            f"{expected.name} has {size} bytes, expected {expected.bytes}; {_REMEDY}"
        )
    digest = sha256_of(path)
    if digest != expected.sha256:
        raise ModelUnavailable(
            f"{expected.name} has SHA-256 {digest}, expected {expected.sha256}; {_REMEDY}"
        )
    return path


def need_room(directory: Path, size_bytes: int) -> None:
    """Refuse what the disk cannot hold, before half of it is there.

    Raises:
        ModelUnavailable: less is free; the message says how much is needed.
    """
    free = shutil.disk_usage(directory).free
    if free < size_bytes:
        raise ModelUnavailable(
            f"it needs {size_bytes / 1e6:.0f} MB, but {free / 1e6:.0f} MB are free in {directory}"
        )


def host(url: str) -> str:
    """Return where an address leads, without the key that it may carry."""
    parts = urlsplit(url)
    return parts.hostname or parts.path


def _save(
    answer: requests.Response, expected: FileSpec, to: Path, report: Callable[[float], None]
) -> None:
    """Write the answer to a file, no more of it than was expected."""
    started, size = time.monotonic(), 0
    with to.open("wb") as file:
        for chunk in answer.iter_content(CHUNK_BYTES):
            size += file.write(chunk)
            if size > expected.bytes:
                raise ModelUnavailable(f"it is longer than the {expected.bytes} bytes expected")
            elapsed_s = time.monotonic() - started
            if elapsed_s > SLOW_AFTER_S and size < SLOW_BYTES_PER_S * elapsed_s:
                raise ModelUnavailable(f"too slow: {size} bytes in {elapsed_s:.0f} s")
            report(size / expected.bytes)


def _progress(url: str, expected: FileSpec) -> str:
    return f"downloading {expected.name} ({expected.bytes / 1e6:.0f} MB) from {host(url)}"
