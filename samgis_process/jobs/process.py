"""A worker process as the server holds it, and a bell to wake the thread that waits for it."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Mapping
from multiprocessing import connection
from pathlib import Path
from typing import Any

from samgis_process.jobs import worker
from samgis_process.jobs.work import WorkFactory

END_S = 5  # for a killed process to be gone


class Bell:
    """Wakes a thread that waits for messages, from any other thread."""

    def __init__(self) -> None:
        self.ear, self._hammer = multiprocessing.Pipe(duplex=False)
        self._lock = threading.Lock()
        self._rung = False

    def ring(self) -> None:
        """Wake it, now or when it next waits."""
        with self._lock:
            if not self._rung:
                self._rung = True
                self._hammer.send_bytes(b"!")

    def quiet(self) -> bool:
        """Return whether it was rung since the last time."""
        with self._lock:
            rung, self._rung = self._rung, False
            if rung:
                self.ear.recv_bytes()
            return rung

    def wait(self, seconds: float) -> None:
        """Wait for the bell."""
        connection.wait([self.ear], seconds)
        self.quiet()

    def close(self) -> None:
        """Give the pipe back."""
        self.ear.close()
        self._hammer.close()


class WorkerProcess:
    """A process of its own, not a copy of ours: threads and libraries do not survive a fork."""

    def __init__(self, factory: WorkFactory, directory: Path, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(
            target=worker.main, args=(theirs, factory, directory), name=name, daemon=True
        )
        self.is_ready = False
        try:
            self._process.start()
        except BaseException:
            self._line.close()
            raise
        finally:
            theirs.close()

    @property
    def is_alive(self) -> bool:
        """Return whether the process is there."""
        return self._process.is_alive()

    @property
    def pid(self) -> int | None:
        """The number of the process."""
        return self._process.pid

    @property
    def was_asked_to_end(self) -> bool:
        """Return whether somebody ended it politely, as service managers do."""
        return self._process.exitcode == -signal.SIGTERM

    def start_on(self, name: str, request: Mapping[str, Any]) -> None:
        """Give it a job."""
        self._send("run", name, request)

    def cancel(self, name: str) -> None:
        """Ask it to stop."""
        self._send("cancel", name)

    def hear(self, seconds: float, bell: Bell) -> tuple[Any, ...]:
        """Return what it says, or ("ended",), or () after some time or when the bell rings."""
        heard = connection.wait([self._line, self._process.sentinel, bell.ear], seconds)
        bell.quiet()
        if self._line in heard:
            try:
                message: tuple[Any, ...] = self._line.recv()
            except (EOFError, OSError):
                self.kill()
                return ("ended",)
            return message
        return ("ended",) if self._process.sentinel in heard else ()

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join(END_S)
        self._line.close()

    def _send(self, *message: Any) -> None:
        # One that is gone is noticed by who listens to it.
        with contextlib.suppress(OSError):
            self._line.send(message)
