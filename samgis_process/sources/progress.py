"""How far a read has come, told to whoever of the same thread wants to know."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from contextlib import contextmanager
from contextvars import ContextVar

TELL_S = 0.25  # between two words; a shorter read says nothing

# Takes how many tiles are there, and how many there will be.
Tell = Callable[[int, int], None]
_tell: ContextVar[Tell | None] = ContextVar("tell", default=None)


@contextmanager
def told(tell: Tell) -> Iterator[None]:
    """Meanwhile, reads of this thread tell how far they are; what `tell` raises ends them."""
    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)


def wait_telling[T](
    jobs: Collection[Future[T]], seconds: float
) -> tuple[set[Future[T]], set[Future[T]]]:
    """Return what is done and what is not, once all is, or one has failed, or time is up."""
    tell, until = _tell.get(), time.monotonic() + seconds
    if tell is None:
        done, pending = wait(jobs, seconds, FIRST_EXCEPTION)
        return done, pending
    while True:
        left = until - time.monotonic()
        done, pending = wait(jobs, min(max(left, 0), TELL_S), FIRST_EXCEPTION)
        if not pending or left <= TELL_S or any(job.exception() for job in done):
            return done, pending
        tell(len(done), len(jobs))
