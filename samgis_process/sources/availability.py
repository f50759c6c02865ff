"""Whether a source can be opened: tried when it is asked for, and again after a while.

A mount that is late, or a server that is down at the start, must not keep all the others from
being served; and when it comes back nobody should have to restart anything.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from samgis_process.errors import (
    SamgisError,
    SourceDamaged,
    SourceTimeout,
    SourceUnavailable,
)
from samgis_process.settings import ConfigurationError
from samgis_process.sources.base import Source
from samgis_process.turns import aside

LOGGER = logging.getLogger(__name__)

RETRY_S = 30.0  # between two tries: opening may take long, and a dead server is owed some peace

# A mount that hangs would hang the start for ever. Drawing the sample scene takes seconds.
START_S = 60.0

State = Literal["available", "unavailable", "unopened"]


@dataclass(frozen=True, slots=True)
class Availability:
    """What is known of a source without asking it; `reason` says why it is unavailable."""

    id: str
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Failure:
    error: SamgisError
    at: float


class Opening:
    """One source, opened when it is first asked for and then kept.

    Args:
        source_id: its id.
        build: opens it; SourceUnavailable, OSError or ConfigurationError say that it failed.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        source_id: str,
        build: Callable[[], Source],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._id = source_id
        self._build = build
        self._clock = clock
        self._lock = threading.Lock()
        self._source: Source | None = None
        self._failure: _Failure | None = None

    def get(self) -> Source:
        """Return the source; one that has failed is tried again after `RETRY_S`.

        Raises:
            SourceUnavailable: it cannot be opened, for the reason that the message tells.
        """
        try:
            return self.open()
        except ConfigurationError as error:  # it is the server's trouble, not the caller's
            raise SourceDamaged(str(error)) from error

    def open(self) -> Source:
        """Return the source as `get` does, but let a configuration without sense be known.

        Raises:
            ConfigurationError: no try can ever succeed.
            SourceUnavailable: this one did not.
        """
        if self._source:
            return self._source
        with aside(self._id):
            return self._tried()

    def _tried(self) -> Source:
        # Who comes first waits for the outcome; once it has failed nobody waits for other tries.
        known = self._failure
        if known and not self._due():
            raise _again(known.error)
        if not self._lock.acquire(blocking=known is None):
            raise _again(known.error if known else SourceUnavailable(self._id))
        try:
            if self._source:
                return self._source
            if self._failure is not known and self._failure:
                raise _again(self._failure.error)
            return self._try()
        finally:
            self._lock.release()

    def availability(self) -> Availability:
        """Return what is known; a try that is due begins, but nobody waits for it."""
        if self._source:
            return Availability(self._id, "available")
        if not self._failure:
            return Availability(self._id, "unopened")
        if self._due() and not self._lock.locked():
            threading.Thread(target=self._retry, name=f"open-{self._id}", daemon=True).start()
        return Availability(self._id, "unavailable", str(self._failure.error))

    def overdue(self, seconds: float) -> None:
        """Let nobody else wait for a try that has taken so long; it may still succeed."""
        if not (self._source or self._failure):
            told = f"source {self._id} could not be opened within {seconds:.0f} s"
            self._failed(SourceTimeout(told))

    def _due(self) -> bool:
        return self._failure is None or self._clock() - self._failure.at >= RETRY_S

    def _retry(self) -> None:
        try:
            self.open()
        except SamgisError:  # kept as the reason
            return

    def _try(self) -> Source:
        before = self._failure
        try:
            self._source = self._build()
        except SamgisError as error:
            self._failed(error)
            raise
        except OSError as error:
            told = SourceUnavailable(f"source {self._id}: {error.strerror or 'cannot be read'}")
            self._failed(told)
            raise told from error
        except Exception as error:
            # Whatever one source is made of, the others are served.
            LOGGER.exception("source %s cannot be opened", self._id)
            told = SourceDamaged(f"source {self._id}: it cannot be opened; the log says more")
            self._failed(told)
            raise told from error
        self._failure = None
        if before:
            LOGGER.warning("source %s is available again", self._id)
        return self._source

    def _failed(self, error: SamgisError) -> None:
        if not self._failure or str(self._failure.error) != str(error):
            LOGGER.warning("source %s is unavailable: %s", self._id, error)
        self._failure = _Failure(error, self._clock())


def open_together(openings: Iterable[Opening], wait_s: float = START_S) -> None:
    """Open sources at the same time; those that fail, or take longer, are tried again later."""

    def attempt(opening: Opening) -> None:
        try:
            opening.open()
        except SamgisError:  # kept as the reason
            return

    # Not a pool: it would wait at the process's end for those that hang.
    threads = [
        (one, threading.Thread(target=attempt, args=(one,), daemon=True)) for one in openings
    ]
    for _, thread in threads:
        thread.start()
    deadline = time.monotonic() + wait_s
    for opening, thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            opening.overdue(wait_s)


def _again(error: SamgisError) -> SamgisError:
    """Return a fresh error of the same words; one object raised by many threads grows."""
    kinds = (SourceTimeout, SourceDamaged, ConfigurationError)
    return next((kind for kind in kinds if isinstance(error, kind)), SourceUnavailable)(str(error))
