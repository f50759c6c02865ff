"""Whose turn it is: places for requests that compute, shares of what is slow, room for bytes."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from samgis_process.errors import Overloaded

_here = threading.local()  # .turns: whose place this thread holds; .bytes: whether it holds room


def places(wanted: int) -> int:
    """Return how many requests compute at the same time; 0 takes two for each core."""
    return wanted or 2 * (os.cpu_count() or 1)


class Turns:
    """Places for threads that compute.

    Args:
        most: places.
        share: threads that may be at one slow thing at the same time, without a place.
    """

    def __init__(self, most: int, share: int) -> None:
        self._places = threading.BoundedSemaphore(most)
        self._share = share
        self._at: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place inside."""
        with self._places:
            _here.turns = self
            try:
                yield
            finally:
                _here.turns = None

    @contextmanager
    def left(self, thing: str) -> Iterator[None]:
        """Leave the place to another inside, being at `thing`.

        Raises:
            Overloaded: too many are at it.
        """
        with self._lock:
            if self._at[thing] >= self._share:
                raise Overloaded(
                    f"{self._share} requests wait for {thing}, which is all that this server lets "
                    "wait for the same. Try again in a few seconds."
                )
            self._at[thing] += 1
        _here.turns = None
        self._places.release()
        try:
            yield
        finally:
            with self._lock:
                self._at[thing] -= 1
            self._places.acquire()
            _here.turns = self


@contextmanager
def aside(thing: str) -> Iterator[None]:
    """Do inside what takes long; who holds a place, leaves it meanwhile.

    Args:
        thing: what is waited for: a source's id, say.

    Raises:
        Overloaded: too many wait for the same.
    """
    turns: Turns | None = getattr(_here, "turns", None)
    if turns is None:
        yield
    else:
        with turns.left(thing):
            yield


_crowds: dict[str, threading.BoundedSemaphore] = {}
_crowds_lock = threading.Lock()


@contextmanager
def one_of_few(thing: str, most: int = 0) -> Iterator[None]:
    """Be inside one of at most so many threads at `thing`; 0 are as many as compute at a time."""
    with _crowds_lock:
        crowd = _crowds.setdefault(thing, threading.BoundedSemaphore(places(most)))
    with crowd:
        yield


class Room:
    """Bytes that several threads may take together.

    Args:
        most: bytes.
        wait_s: seconds to wait for others to give theirs back.
    """

    def __init__(self, most: int, wait_s: float) -> None:
        self.most = most
        self._wait_s = wait_s
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def held(self, count: int) -> Iterator[None]:
        """Take `count` bytes inside; a thread that holds some already takes no more.

        Raises:
            Overloaded: others did not give theirs back in time.
        """
        if getattr(_here, "bytes", False):
            yield
            return
        with self._changed:
            fits = lambda: self._held + count <= max(self.most, count)  # noqa: E731
            if not self._changed.wait_for(fits, self._wait_s):
                raise Overloaded("Other pictures are being read. Try again in a few seconds.")
            self._held += count
        _here.bytes = True
        try:
            yield
        finally:
            _here.bytes = False
            with self._changed:
                self._held -= count
                self._changed.notify_all()
