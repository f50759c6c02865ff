"""Inside a worker process: one job at a time, until the server that started it ends.

Messages to it: ("run", name, request), ("cancel", name). From it: ("ready",), ("broken", why),
("begun", name), ("progress", name, fraction, message), ("counted", name, counts), ("done", name),
("failed", name, problem), ("stopped", name). `name` is that of the try's outputs.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from samgis_process.errors import SamgisError
from samgis_process.jobs.outputs import OutputStore
from samgis_process.jobs.work import Stopped, Work, WorkFactory

REPORT_S = 0.1  # between messages about progress, however often the work reports
_log = logging.getLogger(__name__)


def main(connection: Connection, factory: WorkFactory, directory: Path) -> None:
    """Be a worker."""
    # Ctrl-C reaches every process of a terminal; when a worker ends is for its server to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wire = _Wire(connection)
    try:
        work = factory()
    except Exception as error:  # noqa: BLE001 - whatever it is, the server must know
        _log.exception("the worker cannot begin")
        wire.send("broken", str(error) if isinstance(error, SamgisError) else "")
        return
    wire.send("ready")
    outputs = OutputStore(directory)
    while True:
        name, request = wire.tasks.get()
        wire.send("begun", name)
        end = _done(work, outputs, wire, name, request)
        wire.send("counted", name, work.drained())
        wire.send(*end)


def _done(
    work: Work, outputs: OutputStore, wire: _Wire, name: str, request: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Do one job; return what to say of it."""

    def report(fraction: float, message: str) -> None:
        if wire.cancelled.is_set():
            raise Stopped
        wire.progress(name, fraction, message)

    try:
        found = work.run(name, request, report, wire.cancelled.is_set)
        if wire.cancelled.is_set():
            return "stopped", name
        outputs.write(name, found)
    except Stopped:
        return "stopped", name
    except Exception as error:  # noqa: BLE001 - becomes the job's problem, a bug's log is there
        if wire.cancelled.is_set():  # what was stopped in the middle fails in many ways
            return "stopped", name
        return "failed", name, work.problem(error, request)
    return "done", name


class _Wire:
    """The connection to the server; its loss is the end."""

    def __init__(self, connection: Connection) -> None:
        self.tasks: queue.SimpleQueue[tuple[str, Mapping[str, Any]]] = queue.SimpleQueue()
        self.cancelled = threading.Event()
        self._connection = connection
        self._sending = threading.Lock()
        self._news = threading.Event()
        self._latest: tuple[Any, ...] = ()
        for target in (self._listen, self._tell):
            threading.Thread(target=target, daemon=True).start()

    def send(self, *message: Any) -> None:
        try:
            with self._sending:
                self._connection.send(message)
        except OSError:
            os._exit(1)

    def progress(self, name: str, fraction: float, message: str) -> None:
        self._latest = ("progress", name, fraction, message)
        self._news.set()

    def _listen(self) -> None:
        while True:
            try:
                what, name, *rest = self._connection.recv()
            except (EOFError, OSError):  # the server is gone: nobody could hear of the work
                os._exit(1)
            if what == "run":
                self.cancelled.clear()
                self.tasks.put((name, rest[0]))
            else:
                self.cancelled.set()

    def _tell(self) -> None:
        """Send the latest report now and then; those in between nobody would see."""
        while True:
            self._news.wait()
            self._news.clear()
            self.send(*self._latest)
            time.sleep(REPORT_S)
