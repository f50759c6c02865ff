"""Whether the job store's database answers, and that nobody waits for it without end."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import (
    DataError,
    DisconnectionError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)

from samgis_process.errors import StoreUnavailable
from samgis_process.jobs.tables import PATIENCE_S, is_sqlite, reason

_OURS = (DataError, IntegrityError, ProgrammingError)  # the database is there, and minds
_QUIET_S = 30  # between warnings about the same trouble
_log = logging.getLogger(__name__)


class Reach:
    """Guards every use of an engine: one that is out of reach is tried by one thread at a time.

    The others are refused at once: a database that hangs would otherwise hold a thread for every
    request that asks it.
    """

    def __init__(self, engine: Engine) -> None:
        self.lost: str | None = None  # why the database cannot be used now
        self._lost_at = self._warned_at = -float(_QUIET_S)
        self._trying = threading.Lock()
        # SQLite takes one writer at a time, and those that it makes wait wait unfairly.
        self._turn = threading.Lock() if is_sqlite(engine) else None
        if not is_sqlite(engine):
            _Deadlines(engine, lambda: self._lose("it does not answer"))

    @contextlib.contextmanager
    def used(self, *, writing: bool) -> Iterator[None]:
        """Use the engine inside.

        Raises:
            StoreUnavailable: it cannot be used now.
        """
        with contextlib.ExitStack() as held:
            if self.lost and not self._turn and not _taken(self._trying, held, 0):
                raise _unavailable()
            if (
                self._turn
                and writing
                and not _taken(self._turn, held, 0 if self.lost else PATIENCE_S)
            ):
                raise _unavailable()
            try:
                yield
            except SQLAlchemyError as error:
                if not isinstance(error, _OURS):
                    self._lose(reason(error))
                raise _unavailable() from error
            self._find()

    def _lose(self, why: str) -> None:
        moment = time.monotonic()
        if self.lost is None:
            self._lost_at = moment
        if moment - self._warned_at >= _QUIET_S:
            self._warned_at = moment
            _log.warning("the record of jobs cannot be used: %s", why)
        self.lost = why

    def _find(self) -> None:
        if self.lost is not None:
            self.lost = None
            away = time.monotonic() - self._lost_at
            _log.warning("the record of jobs can be used again, after %.0f s", away)


def _taken(lock: threading.Lock, held: contextlib.ExitStack, seconds: float) -> bool:
    if not lock.acquire(timeout=seconds):
        return False
    held.callback(lock.release)
    return True


def _unavailable() -> StoreUnavailable:
    return StoreUnavailable(
        "The record of jobs cannot be read or written now. Try again in a few seconds."
    )


class _Deadlines:
    """Cuts connections that are out of the pool for longer than any transaction of ours takes.

    A server that is frozen, or a network that swallows packets, answers no time-out of the
    database's own; a socket that is shut down ends the wait of whichever driver reads it.
    """

    def __init__(self, engine: Engine, late: Callable[[], None]) -> None:
        self._dialect = engine.dialect
        self._late = late
        self._out: dict[int, tuple[float, Any]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._has_ended = False
        event.listen(engine, "checkout", self._begun)
        event.listen(engine, "checkin", self._done)
        event.listen(engine, "invalidate", self._done)
        event.listen(engine, "engine_disposed", self._end)
        threading.Thread(target=self._watch, name="job-store-deadlines", daemon=True).start()

    def _begun(self, connection: Any, _record: Any, _fairy: Any) -> None:
        with self._lock:
            self._out[id(connection)] = (time.monotonic() + PATIENCE_S, connection)
        self._wake.set()
        # It may have died while it waited in the pool: the server was restarted.
        try:
            self._dialect.do_ping(connection)
        except Exception as error:
            self._done(connection)
            raise DisconnectionError from error

    def _done(self, connection: Any, *_: Any) -> None:
        with self._lock:
            self._out.pop(id(connection), None)

    def _end(self, _engine: Engine) -> None:
        self._has_ended = True
        self._wake.set()

    def _watch(self) -> None:
        while self._wake.wait() and not self._has_ended:
            with self._lock:
                left = {key: due - time.monotonic() for key, (due, _) in self._out.items()}
                for key in [key for key, seconds in left.items() if seconds <= 0]:
                    _shut(self._out.pop(key)[1])
                if not self._out:
                    self._wake.clear()
            if min(left.values(), default=PATIENCE_S) < PATIENCE_S / 2:
                self._late()
            time.sleep(PATIENCE_S / 10)


def _shut(connection: Any) -> None:
    """End whatever waits for this connection; its owner gives it up."""
    with (
        contextlib.suppress(Exception),  # it may have been closed just now
        socket.socket(fileno=os.dup(connection.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)
