"""What tells one state of a dataset from the next: files' sizes and times, a server's ETag."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests

from samgis_process.sources.gdal_env import USER_AGENT, web_address
from samgis_process.turns import aside

RECHECK_S = 30.0  # a web server is asked this often whether its file is still the same
HEAD_TIMEOUT_S = (3.05, 5.0)
MARKS = ("ETag", "Last-Modified", "Content-Length")
MAX_FILES = 1000  # of a dataset in pieces; more would make every request slow


@dataclass(frozen=True, slots=True)
class _Seen:
    text: str
    at: float


class Versions:
    """The version of one dataset, looked up anew whenever it is asked for.

    Args:
        dataset: GDAL's name of it. It may hold a key, so only its digest enters the version.
        revision: the operator's own; then a server is never asked.
    """

    def __init__(self, dataset: str, revision: str = "") -> None:
        self._name = _digest(dataset)
        self._revision = revision
        self._web = None if revision else web_address(dataset)
        self._seen: _Seen | None = None
        self._lock = threading.Lock()

    def now(self, files: Sequence[Path], *, force: bool = False) -> str:
        """Return the version.

        Args:
            files: those on this machine that the dataset is made of.
            force: ask a web server even if it answered a moment ago.

        Raises:
            OSError: the server that answered before does not now.
        """
        parts = [self._name, self._revision]
        for path in files[:MAX_FILES]:
            try:
                status = path.stat()
            except OSError:
                parts.append(f"{path.name}: gone")
                continue
            parts.append(f"{path.name}:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}")
        if self._web is not None:
            parts.append(self._marks(self._web, force=force))
        return _digest("\n".join(parts))

    def _marks(self, address: str, *, force: bool) -> str:
        with aside(urlsplit(address).hostname or address), self._lock:
            if self._seen and not force and time.monotonic() - self._seen.at < RECHECK_S:
                return self._seen.text
            text = _head(address)
            self._seen = _Seen(text, time.monotonic())
            return text


def _head(address: str) -> str:
    """Return what the server says of the file; nothing if it answers no HEAD."""
    answer = requests.head(
        address,
        timeout=HEAD_TIMEOUT_S,
        allow_redirects=True,
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
    )
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        answer.raise_for_status()  # a bad moment, not another file
    if not answer.ok:
        return ""
    return "\n".join(answer.headers.get(name, "") for name in MARKS)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
