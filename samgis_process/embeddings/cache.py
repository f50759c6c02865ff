"""The embedding cache: one encoder run for any number of requests, threads and processes."""

from __future__ import annotations

import logging
import math
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from samgis_process import tally
from samgis_process.blobs import Blob, BlobStore
from samgis_process.errors import Overloaded
from samgis_process.inference.model import Features
from samgis_process.turns import aside

LOGGER = logging.getLogger(__name__)

CacheState = Literal["hit", "miss", "shared"]

# Locks are shared by the keys that begin alike: the files stay few, and two windows that have to
# wait for each other on one machine would have waited for its cores anyway.
LOCK_DIGITS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A picture as the decoder reads it.

    Attributes:
        features: what the encoder says of it, float16 arrays by name.
        valid: bool (rows, cols) of the picture, False where the source holds nothing; None if it
            holds something everywhere.
        facts: what else an answer tells of the picture (JSON).
    """

    features: Features
    valid: NDArray[np.bool_] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class EmbeddingCache:
    """Embeddings by key, on disk."""

    def __init__(self, store: BlobStore, locks: Path, wait_s: float) -> None:
        self._store = store
        self._locks = locks
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._in_process: dict[str, threading.Lock] = {}  # by the names of the lock files

    def get(
        self, key: str, make: Callable[[], Embedding], thing: str = ""
    ) -> tuple[Embedding, CacheState]:
        """Return the embedding of `key`, made and kept if it is not there.

        `shared` says that somebody else was making it, and we waited.

        Args:
            thing: what is waited for while it is made: `turns.aside`.

        Raises:
            Overloaded: it was being made by somebody else for too long.
        """
        found, state = self._get(key, make, thing)
        tally.add("embeddings", state)
        return found, state

    def _get(
        self, key: str, make: Callable[[], Embedding], thing: str
    ) -> tuple[Embedding, CacheState]:
        found = self._read(key)
        if found:
            return found, "hit"
        with aside(thing), self._alone(key) as waited:
            found = self._read(key)  # somebody may have finished since we looked
            if found:
                return found, "shared" if waited else "hit"
            made = make()
            return self._keep(key, made), "miss"

    def _keep(self, key: str, made: Embedding) -> Embedding:
        """Return `made`, with a warning if it could not be kept."""
        reason = self._store.put(key, *_encode(made))
        if not reason:
            return made
        warnings = (*made.facts.get("warnings", ()), f"the embedding could not be kept: {reason}")
        return replace(made, facts={**made.facts, "warnings": warnings})

    @contextmanager
    def _alone(self, key: str) -> Iterator[bool]:
        """Let one request at a time make the embeddings of keys that begin like `key`.

        Yields:
            Whether there was somebody to wait for.
        """
        name = key[:LOCK_DIGITS]
        with self._lock:
            lock = self._in_process.setdefault(name, threading.Lock())
        waited = not lock.acquire(blocking=False)
        if waited and not lock.acquire(timeout=self._wait_s):
            raise self._too_long()
        try:
            with self._among_processes(name) as waited_too:
                yield waited or waited_too
        finally:
            lock.release()

    @contextmanager
    def _among_processes(self, name: str) -> Iterator[bool]:
        """Hold the lock file; the system lets go of it when its holder is killed.

        Where it cannot be made (a full disk, a directory that may only be read) nothing can be
        shared with other processes anyway, so each works for itself.
        """
        lock = FileLock(self._locks / f"{name}.lock", thread_local=False)
        waited = False
        try:
            self._locks.mkdir(parents=True, exist_ok=True)
            waited = _acquire(lock, self._wait_s)
        except Timeout as error:
            raise self._too_long() from error
        except (OSError, NotImplementedError) as error:  # the latter: filelock, no flock there
            LOGGER.warning("no lock file in the cache: %s", type(error).__name__)
        try:
            yield waited
        finally:
            lock.release()

    @staticmethod
    def _too_long() -> Overloaded:
        return Overloaded("the picture of this window is still being prepared")

    def _read(self, key: str) -> Embedding | None:
        blob = self._store.get(key)
        return _decode(blob) if blob else None


def _acquire(lock: FileLock, wait_s: float) -> bool:
    """Return whether there was somebody to wait for."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        lock.acquire(timeout=wait_s, poll_interval=0.02)
        return True
    return False


def _encode(embedding: Embedding) -> tuple[dict[str, Any], bytes]:
    features, valid = embedding.features, embedding.valid
    header = {
        "features": {name: value.shape for name, value in features.items()},
        "valid": None if valid is None else valid.shape,
        "facts": embedding.facts,
    }
    mask = b"" if valid is None else zlib.compress(np.packbits(valid).tobytes(), 1)
    return header, b"".join([*(v.astype("<f2").tobytes() for v in features.values()), mask])


def _decode(blob: Blob) -> Embedding:
    features, start = {}, 0
    for name, shape in blob.header["features"].items():
        count = math.prod(shape)
        features[name] = np.frombuffer(blob.payload, "<f2", count, start).reshape(shape)
        start += count * 2
    valid = None
    if blob.header["valid"]:
        rows, cols = blob.header["valid"]
        bits = np.frombuffer(zlib.decompress(blob.payload[start:]), np.uint8)
        valid = np.unpackbits(bits, count=rows * cols).reshape(rows, cols).astype(bool)
    return Embedding(features, valid, blob.header["facts"])
