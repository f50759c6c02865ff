"""What a host is owed: few connections at a time, a pace, and peace while it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from samgis_process.errors import SourceTimeout, SourceUnavailable


class Refused(SourceUnavailable):
    """The host is well, but does not give us this."""


class Forbidden(Refused):
    """The host answered 403; some do so for whatever they do not have."""


class OutOfTime(SourceTimeout):
    """Our own time was over before the host could be asked; it is not to blame."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The time of one read, and whether anybody still waits for it.

    Attributes:
        deadline: `time.monotonic()` at which it ends.
        stop: set when another part of the read has failed.
    """

    deadline: float
    stop: threading.Event = field(default_factory=threading.Event)

    def left(self) -> float:
        """Return the seconds left; 0 if it was stopped."""
        return 0.0 if self.stop.is_set() else self.deadline - time.monotonic()

    def sleep(self, seconds: float) -> bool:
        """Return whether there was time to sleep; if not, do not begin."""
        return seconds < self.left() and not self.stop.wait(seconds)


@dataclass(frozen=True, slots=True)
class HostRules:
    """How much one host bears.

    Attributes:
        failures: requests in a row that fail before it is left alone.
        rest_s: seconds for which it is then left alone.
    """

    failures: int = 5
    rest_s: float = 10.0


class Breaker:
    """Answers at once for a host that fails, and lets one request try it after a rest."""

    def __init__(self, rules: HostRules, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._clock = clock
        self._failures = 0
        self._closed_until: float | None = None  # when the rest ends; None: not resting
        self._probing = False
        self._changed = threading.Condition()

    @contextmanager
    def attempt(self, name: str, budget: Budget) -> Iterator[None]:
        """Let a request through, and learn from how it ends.

        Raises:
            SourceUnavailable: the host failed too often a moment ago.
        """
        probe = self._admit(name, budget)
        try:
            yield
            self._succeeded()
        except Refused:
            self._succeeded()
            raise
        except OutOfTime:
            raise
        except SourceUnavailable:
            self._failed()
            raise
        finally:
            self._end(probe)

    def _admit(self, name: str, budget: Budget) -> bool:
        """Return whether this request is the probe; others wait for how the probe ends."""
        with self._changed:
            while self._probing:
                if budget.left() <= 0 or not self._changed.wait(budget.left()):
                    raise OutOfTime(f"{name}: there was no time left to ask its server")
            if self._closed_until is None:
                return False
            if self._clock() < self._closed_until:
                raise SourceUnavailable(
                    f"{name}: its server failed {self._failures} times in a row and is left "
                    f"alone for {self._closed_until - self._clock():.0f} s"
                )
            self._probing = True
            return True

    def _failed(self) -> None:
        with self._changed:
            self._failures += 1
            if self._failures >= self._rules.failures:
                self._closed_until = self._clock() + self._rules.rest_s

    def _succeeded(self) -> None:
        with self._changed:
            self._failures, self._closed_until = 0, None

    def _end(self, probe: bool) -> None:  # noqa: FBT001
        with self._changed:
            if probe:
                self._probing = False
                self._changed.notify_all()


class Gate:
    """So many at a time, and no more; the lowest limit anybody set counts."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._changed = threading.Condition()

    def lower_to(self, limit: int) -> None:
        """Let no more than `limit` in."""
        with self._changed:
            self._limit = min(self._limit, limit)

    @contextmanager
    def enter(self, name: str, budget: Budget) -> Iterator[None]:
        """Wait for a place.

        Raises:
            OutOfTime: none was free in time.
        """
        with self._changed:
            free = self._changed.wait_for(
                lambda: self._inside < self._limit, max(0.0, budget.left())
            )
            if not free or budget.left() <= 0:
                raise OutOfTime(f"{name}: there was no time left to ask its server")
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                # All: the one that is woken may have given up, and would wake no other.
                self._changed.notify_all()


class Pace:
    """At most `rate` requests a second, evenly spread; None: as they come."""

    def __init__(self, rate: float | None) -> None:
        self._interval = 1.0 / rate if rate else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, name: str, budget: Budget) -> None:
        """Wait for this request's turn.

        Raises:
            OutOfTime: its turn comes too late.
        """
        if not self._interval:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            if turn - now >= budget.left():
                raise OutOfTime(f"{name}: the source's rate leaves no time for it")
            self._next = turn + self._interval
        if turn > now and not budget.sleep(turn - now):
            raise OutOfTime(f"{name}: the source's rate leaves no time for it")


@dataclass(frozen=True, slots=True)
class Host:
    """One scheme, name and port, shared by all sources of the process."""

    gate: Gate
    breaker: Breaker
