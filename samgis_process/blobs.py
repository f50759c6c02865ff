"""A store of checked files: atomic, bounded in bytes, the least recently used go first.

Many threads and processes may use one directory. A file that was cut short or damaged is not an
answer but a miss: its checksum tells.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOGGER = logging.getLogger(__name__)

MAGIC = b"SAMGISB1"
PREFIX = len(MAGIC) + 4  # the magic, and the checksum of all that follows
SUFFIX = ".blob"
ABANDONED_S = 3600  # a temporary file this old belongs to a process that was ended
KEEP = 0.9  # share of the limit that is left after making room, so that it is rarely made


@dataclass(frozen=True, slots=True)
class Blob:
    """What was stored: a JSON header and bytes."""

    header: Mapping[str, Any]
    payload: memoryview


@dataclass(frozen=True, slots=True)
class Stats:
    """How full a store is."""

    entries: int
    size_bytes: int
    max_bytes: int


class BlobStore:
    """Files under one directory, by key (hexadecimal)."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self._unchecked = max_bytes  # bytes written since room was made; at first, look
        self._lock = threading.Lock()

    def get(self, key: str) -> Blob | None:
        """Return what lies under `key`, or None; a damaged file is removed."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        blob = _unpack(data)
        if blob is None:
            LOGGER.warning("removed the damaged cache file %s", path.name)
            self.remove(key)
            return None
        _touch(path)
        return blob

    def put(self, key: str, header: Mapping[str, Any], payload: bytes) -> str:
        """Keep `payload` under `key`; return why it could not be kept, empty if it was.

        A full or broken disk is logged, never an error: whoever has the payload can go on.
        """
        path, data = self._path(key), _pack(header, payload)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
            temporary.replace(path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            LOGGER.warning("the cache cannot keep %s: %s", path.name, reason)
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return reason
        self._make_room(len(data))
        return ""

    def remove(self, key: str) -> None:
        """Forget what lies under `key`, if anything does."""
        with contextlib.suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def stats(self) -> Stats:
        """Count the entries and their bytes."""
        entries = self._entries()
        return Stats(len(entries), sum(size for _, size, _ in entries), self.max_bytes)

    def clear(self) -> Stats:
        """Remove everything; return what was there."""
        before = self.stats()
        for path in (*self.directory.glob(f"*{SUFFIX}"), *self.directory.glob("*.tmp")):
            path.unlink(missing_ok=True)
        return before

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}{SUFFIX}"

    def _entries(self) -> list[tuple[float, int, Path]]:
        """Return (last use, bytes, path) of each entry."""
        entries = []
        for path in self.directory.glob(f"*{SUFFIX}"):
            try:
                status = path.stat()
            except OSError:  # another process removed it just now
                continue
            entries.append((status.st_mtime, status.st_size, path))
        return entries

    def _make_room(self, written: int) -> None:
        """Look at the directory only after a twentieth of its limit was written."""
        with self._lock:
            self._unchecked += written
            if self._unchecked < self.max_bytes / 20:
                return
            self._unchecked = 0
        self._remove_abandoned()
        entries = sorted(self._entries())
        excess = sum(size for _, size, _ in entries) - self.max_bytes
        if excess > 0:
            excess += int(self.max_bytes * (1 - KEEP))
        for _, size, path in entries:
            if excess <= 0:
                return
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            excess -= size

    def _remove_abandoned(self) -> None:
        for path in self.directory.glob("*.tmp"):
            try:
                if time.time() - path.stat().st_mtime > ABANDONED_S:
                    path.unlink(missing_ok=True)
            except OSError:
                continue


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except OSError:  # removed by another process: what was read is still good
        return


def _pack(header: Mapping[str, Any], payload: bytes) -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    body = len(text).to_bytes(4, "big") + text + payload
    return MAGIC + zlib.crc32(body).to_bytes(4, "big") + body


def _unpack(data: bytes) -> Blob | None:
    body = memoryview(data)[PREFIX:]
    if data[: len(MAGIC)] != MAGIC or len(body) < 4:
        return None
    if zlib.crc32(body) != int.from_bytes(data[len(MAGIC) : PREFIX], "big"):
        return None
    end = 4 + int.from_bytes(body[:4], "big")
    return Blob(json.loads(bytes(body[4:end])), body[end:])
