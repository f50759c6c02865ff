"""Threads for work that takes long, of which a few compute at the same time."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from samgis_process.errors import Overloaded
from samgis_process.turns import Turns

T = TypeVar("T")


class WorkPool:
    """Runs functions in threads; turns work away once `workers + queue` are at it or waiting.

    Each has a thread, which waits for its turn to compute; work that waits for something else
    lets another go first (`turns.aside`), as long as not all wait for the same.

    There are as many threads as there ever was work at the same time: each keeps some megabytes
    of its own, of PROJ for instance. Python does not wait for them at its end.

    Args:
        threads: fewer than there may be work, where none steps aside.
    """

    def __init__(self, workers: int, waiting: int, threads: int | None = None) -> None:
        self._room = workers + waiting
        self._most_threads = threads or self._room
        self._turns = Turns(workers, max(1, self._room // 2))
        self._taken = self._threads = 0
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]
        self._work = queue.SimpleQueue()

    @property
    def taken(self) -> int:
        """How much work is under way or waiting."""
        return self._taken

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, without holding the event loop.

        Raises:
            Overloaded: the queue is full.
        """
        with self._lock:
            if self._taken >= self._room:
                raise Overloaded(
                    f"{self._taken} requests are being worked on or waiting, which is all this "
                    "server takes at a time. Try again in a few seconds."
                )
            self._taken += 1
            if self._threads < min(self._taken, self._most_threads):
                self._threads += 1
                name = f"process_{self._threads}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
        future: Future[T] = Future()
        self._work.put((future, work))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let threads end; nobody waits for what is running, which may hang on anything."""
        for _ in range(self._threads):
            self._work.put(None)

    def _serve(self) -> None:
        while one := self._work.get():
            self._do(*one)

    def _do(self, future: Future[T], work: Callable[[], T]) -> None:
        tell: Callable[[], object] = future.cancel
        with self._turns.taken():
            # Work whose client has gone fills its thread only if it has begun.
            if future.set_running_or_notify_cancel():
                try:
                    tell = partial(future.set_result, work())
                except BaseException as error:  # noqa: BLE001 - raised where the result is awaited
                    tell = partial(future.set_exception, error)
        with self._lock:  # before anybody hears of it, and comes with more
            self._taken -= 1
        tell()
