"""Tiles on disk, for as long as their servers allow; shared by threads and processes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from samgis_process.blobs import Blob, BlobStore
from samgis_process.sources.freshness import (
    ABSENT_S,
    Freshness,
    freshness,
    says_life,
    validators,
)

WEEK_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A tile from the cache.

    Attributes:
        body: the picture as the server sent it; None where the server has no tile.
        fresh: whether it may be used without asking.
        stale_ok: whether it may be used when the server fails.
        ask: headers that ask the server whether it has changed.
    """

    body: bytes | None
    fresh: bool
    stale_ok: bool
    ask: Mapping[str, str]


def tile_key(version: str, size: int, url: str) -> str:
    """Return the key of a tile. Addresses may carry keys of their own, so only a hash is kept."""
    digest = hashlib.sha256()
    for part in (version, str(size), url):
        digest.update(f"{len(part.encode())}:{part}".encode())
    return digest.hexdigest()[:40]


class TileCache:
    """Tiles by key.

    Args:
        store: the files.
        default_s: seconds for which a tile is fresh when its server says nothing.
        clock: seconds since 1970; processes compare it, so no monotonic one.
    """

    def __init__(
        self,
        store: BlobStore,
        default_s: float = WEEK_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._default_s = default_s
        self._clock = clock

    def get(self, key: str) -> Kept | None:
        """Return what is kept under `key`, fresh or not."""
        blob = self._store.get(key)
        if blob is None:
            return None
        header = blob.header
        # A clock that was set back must not make a tile fresh for longer than it was to be.
        age = self._clock() - header["at"]
        return Kept(
            None if header["absent"] else bytes(blob.payload),
            fresh=0 <= age < header["life_s"],
            stale_ok=header["stale_ok"],
            ask=header["ask"],
        )

    def keep(self, key: str, headers: Mapping[str, str], body: bytes | None) -> None:
        """Keep a tile, or that there is none, as far as `headers` (in lower case) allow."""
        allowed = freshness(headers, self._clock(), self._default_s)
        if not allowed.store:
            self._store.remove(key)
            return
        life_s = allowed.life_s if body is not None else min(allowed.life_s, ABSENT_S)
        ask = validators(headers) if body is not None else {}
        self._put(key, self._header(allowed, life_s, ask, absent=body is None), body or b"")

    def renew(self, key: str, headers: Mapping[str, str]) -> None:
        """Note that the server called the tile unchanged (304)."""
        blob = self._store.get(key)
        if blob is None:
            return
        allowed = freshness(headers, self._clock(), self._default_s)
        if not allowed.store:
            self._store.remove(key)
            return
        self._put(key, self._renewed(blob, headers, allowed), bytes(blob.payload))

    def _renewed(
        self, blob: Blob, headers: Mapping[str, str], allowed: Freshness
    ) -> dict[str, Any]:
        """Return the header after a 304: what it does not say stays as it was."""
        ask = {**blob.header["ask"], **validators(headers)}
        if says_life(headers):
            return self._header(allowed, allowed.life_s, ask, absent=False)
        return {**blob.header, "ask": ask, "at": self._clock()}

    def _header(
        self, allowed: Freshness, life_s: float, ask: Mapping[str, str], *, absent: bool
    ) -> dict[str, Any]:
        return {
            "at": self._clock(),
            "life_s": life_s,
            "stale_ok": allowed.stale_ok,
            "ask": ask,
            "absent": absent,
        }

    def _put(self, key: str, header: Mapping[str, Any], body: bytes) -> None:
        self._store.put(key, header, body)
