"""Messages to others about jobs: a few threads send them, and none of it can harm a job."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from samgis_process.errors import SamgisError, StoreUnavailable
from samgis_process.outbound import Unreachable

CLOSE_S = 5.0  # for what is being sent when the server stops
_log = logging.getLogger(__name__)

# Makes a message when it is to be sent: (address, content); None: there is nothing to say now.
Make = Callable[[], tuple[str, bytes] | None]
Send = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class NoticeLimits:
    """What messages may take; `settings.CallbackSettings` says what each means."""

    workers: int = 4
    queue: int = 1000
    tries: int = 4
    backoff_s: float = 2.0


@dataclass(frozen=True, slots=True)
class _Notice:
    name: str
    make: Make
    tries_left: int
    tried: int = 0


class Notices:
    """Sends messages; each is tried again some time after it failed, and then given up.

    Args:
        send: raises Unreachable, or another SamgisError where another try makes no sense.
    """

    def __init__(self, send: Send, limits: NoticeLimits) -> None:
        self._send = send
        self._limits = limits
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, _Notice]] = []  # a heap, by when they are due
        self._changed = threading.Condition()
        self._is_closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"notices-{number}", daemon=True)
            for number in range(limits.workers)
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Send what is due, if that takes no long time; drop the rest."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        until = time.monotonic() + CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def put(self, name: str, make: Make, tries: int | None = None) -> None:
        """Send a message soon; where too many wait, it is dropped.

        Args:
            name: what it is, for the log.
            tries: how often to try, unless as often as the limits say.
        """
        self._add(_Notice(name, make, tries or self._limits.tries), 0.0)

    def _add(self, notice: _Notice, delay_s: float) -> None:
        with self._changed:
            if len(self._waiting) >= self._limits.queue:
                _log.warning("%s: dropped, for too many wait", notice.name)
                return
            due = time.monotonic() + delay_s
            heapq.heappush(self._waiting, (due, next(self._numbers), notice))
            self._changed.notify()

    def _work(self) -> None:
        while notice := self._next():
            try:
                if made := notice.make():
                    self._send(*made)
            except (Unreachable, StoreUnavailable) as error:
                self._failed(notice, error, again=getattr(error, "passing", True))
            except SamgisError as error:
                self._failed(notice, error, again=False)
            except Exception:  # noqa: BLE001 - a mistake here must cost no more than this message
                _log.exception("%s: given up", notice.name)

    def _next(self) -> _Notice | None:
        """Return the message that is due; None once there will be no more."""
        with self._changed:
            while True:
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._waiting)[2]
                if self._is_closing:
                    return None
                self._changed.wait(left)

    def _failed(self, notice: _Notice, error: SamgisError, *, again: bool) -> None:
        if not again or notice.tries_left <= 1 or self._is_closing:
            _log.warning("%s: given up: %s", notice.name, error)
            return
        later = _Notice(notice.name, notice.make, notice.tries_left - 1, notice.tried + 1)
        self._add(later, self._limits.backoff_s * 2**notice.tried)
