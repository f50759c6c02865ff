"""The server's process: its port, its signals, its log."""

from __future__ import annotations

import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from starlette.types import ASGIApp

from samgis_process.cli.exit_codes import INTERRUPTED
from samgis_process.server.connections import Stoppable, server
from samgis_process.settings import ConfigurationError

THREADS_S = 0.5  # for threads to end when all requests were answered


def claim(host: str, port: int) -> list[socket.socket]:
    """Return sockets bound to every address of `host`; port 0 takes any that is free.

    They do not listen yet: until the server is ready, clients are refused rather than kept.

    Raises:
        ConfigurationError: the address is not ours, or somebody listens there already.
    """
    sockets: list[socket.socket] = []
    try:
        for family, kind, proto, _, address in _addresses(host, port):
            taken = socket.socket(family, kind, proto)
            sockets.append(taken)
            _set_options(taken)
            taken.bind((address[0], port or _port(sockets), *address[2:]))
    except OSError as error:
        for one in sockets:
            one.close()
        raise _refused(host, port, error) from error
    return sockets


def _addresses(host: str, port: int) -> Sequence[tuple[int, int, int, str, tuple[str, ...]]]:
    kind, passive = socket.SOCK_STREAM, socket.AI_PASSIVE
    found = socket.getaddrinfo(host or None, port, type=kind, flags=passive)
    return list(dict.fromkeys(found))  # type: ignore[arg-type]  # typeshed allows any address


def _set_options(taken: socket.socket) -> None:
    # So that a restart need not wait for the old connections; on Windows it would mean more.
    if sys.platform != "win32":
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if taken.family == socket.AF_INET6:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _port(sockets: list[socket.socket]) -> int:
    """Return the port of the first socket, for the other addresses of the same host."""
    return int(sockets[0].getsockname()[1]) if len(sockets) > 1 else 0


def _refused(host: str, port: int, error: OSError) -> ConfigurationError:
    reason = (error.strerror or str(error)).lower()
    return ConfigurationError(
        f"cannot listen on {host}, port {port}: {reason}; choose another one with --port or PORT"
    )


def run(
    app: ASGIApp,
    sockets: list[socket.socket],
    most: int = 512,
    stopping: Stoppable | None = None,
) -> None:
    """Serve until SIGINT (KeyboardInterrupt is raised) or SIGTERM (the process exits with 0).

    Requests under way are finished first, if that takes no long time.

    Args:
        most: connections kept.
        stopping: told at once when the server is to stop.
    """
    # What is there now stays. Looking through it again for garbage would take 50 ms each time, in
    # which nobody is answered.
    gc.collect()
    gc.freeze()
    try:
        server(app, most, stopping).run(sockets=sockets)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        # Two servers took the port at the same moment, and only one may listen.
        host, port = sockets[0].getsockname()[:2]
        raise _refused(host, port, error) from error


def stop_on_signals() -> None:
    """Make SIGTERM a clean end, and neither it nor Ctrl-C wait for a thread that hangs.

    uvicorn raises the signal again when it is done.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)


def _leave(number: int, _frame: Any) -> None:
    status = 0 if number == signal.SIGTERM else INTERRUPTED
    until = time.monotonic() + THREADS_S
    others = [one for one in threading.enumerate() if not one.daemon]
    others.remove(threading.main_thread())
    for thread in others:
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():  # it waits for a tile server, say, and Python would wait for it
            logging.shutdown()
            os._exit(status)
    if status:
        raise KeyboardInterrupt
    sys.exit(status)
