"""Threads for work that takes long, of which a few compute at the same time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from samgis_process.errors import Overloaded
from samgis_process.turns import Turns

T = TypeVar("T")


class WorkPool:
    """Runs functions in threads; turns work away once `workers + queue` are at it or waiting.

    Each has a thread, which waits for its turn to compute; work that waits for something else
    lets another go first (`turns.aside`), as long as not all wait for the same.
    """

    def __init__(self, workers: int, queue: int) -> None:
        self._room = workers + queue
        self._taken = 0
        self._lock = threading.Lock()  # a run ends in its own thread
        self._turns = Turns(workers, max(1, self._room // 2))
        self._threads = ThreadPoolExecutor(self._room, thread_name_prefix="process")

    @property
    def taken(self) -> int:
        """How much work is under way or waiting."""
        return self._taken

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, without holding the event loop.

        Raises:
            Overloaded: the queue is full.
        """
        self._take()
        try:
            future = self._threads.submit(self._in_turn, work)
        except BaseException:
            self._give()
            raise
        # Not when the waiting ends: work whose client has gone still fills its thread.
        future.add_done_callback(self._give)
        return await asyncio.wrap_future(future)

    def _in_turn(self, work: Callable[[], T]) -> T:
        with self._turns.taken():
            return work()

    def close(self) -> None:
        """Drop what waits; nobody waits for what is running, which may hang on anything."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take(self) -> None:
        with self._lock:
            if self._taken >= self._room:
                raise Overloaded(
                    f"{self._taken} requests are being worked on or waiting, which is all this "
                    "server takes at a time. Try again in a few seconds."
                )
            self._taken += 1

    def _give(self, _: Future[T] | None = None) -> None:
        with self._lock:
            self._taken -= 1
