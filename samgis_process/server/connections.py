"""Connections, bounded in number and in the time that they may stay silent; and the way to stop.

The HTTP of uvicorn's own protocol, with what it leaves open: nobody can hold a connection, a file
descriptor or the event loop by sending nothing, or without end.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import h11
import orjson
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from samgis_process.ogc.bodies import MAX_HEADER_BYTES

REQUEST_S = 20.0  # for the headers of a request to come, from the connection or their first byte
IDLE_S = 65.0  # between requests; proxies keep theirs for 60 s
READ_S = 30.0  # for a client to read anything of an answer
DRAIN_S = 20.0  # for the rest of a body that was answered before its end
STOP_S = 18  # for connections, when the server stops; requests are answered before
WAITING = 1024  # connections that the system keeps until we take them
AT_ONCE = 16  # connections taken in one go, before those there are looked at
QUIET_S = 30.0  # between log lines about connections that cannot be taken

_log = logging.getLogger(__name__)
_FULL = orjson.dumps(
    {
        "type": "urn:samgis:problem:overloaded",
        "title": "The server is busy",
        "status": 503,
        "detail": "All connections that this server keeps are in use. Try again in some seconds.",
    }
)
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_FULL), _FULL)
)


class Connection(H11Protocol):
    """One connection.

    Args:
        most: connections kept; beyond, the one that was silent longest makes room.
    """

    def __init__(self, *args: Any, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._most = most
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self.silent_since = time.monotonic()

    @property
    def is_idle(self) -> bool:
        """Return whether no request is being answered on it."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, or refuse it where no other can go."""
        super().connection_made(transport)
        self._close_in(REQUEST_S)
        if len(self.connections) > self._most:
            self._make_room()

    def _make_room(self) -> None:
        idle = [
            one
            for one in self.connections
            if isinstance(one, Connection) and one is not self and one.is_idle
        ]
        if idle:
            least = min(idle, key=lambda one: one.silent_since)
            self.connections.discard(least)
            least.transport.abort()
        else:
            self.transport.write(_REFUSAL)
            self.transport.close()

    def pause_writing(self) -> None:
        """Wait for the client to read, as long as it does."""
        super().pause_writing()
        self._look_whether_it_reads(self._unread())

    def _look_whether_it_reads(self, left: int) -> None:
        self._reading = self.loop.call_later(READ_S, self._give_up_unless_less_than, left)

    def _give_up_unless_less_than(self, before: int) -> None:
        left = self._unread()
        if left < before:
            self._look_whether_it_reads(left)
        else:  # with what the system still holds for it
            line = self.transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    def _unread(self) -> int:
        """Return the bytes that the client has not taken, ours and those the system holds."""
        return self.transport.get_write_buffer_size() + _outstanding(self.transport)

    def resume_writing(self) -> None:
        """Go on, for the client has read."""
        self._no_longer_look()
        super().resume_writing()

    def _no_longer_look(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of it."""
        self._wait_no_longer()
        self._no_longer_look()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sends; headers that come in drops come in limited time."""
        super().data_received(data)
        if not self.is_idle:
            self._wait_no_longer()
        elif self._timer is None and not self.transport.is_closing():
            self._close_in(REQUEST_S)

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of a body that nobody reads."""
        self.silent_since = time.monotonic()
        self._wait_no_longer()
        if self.conn.their_state is h11.SEND_BODY:
            self._close_in(DRAIN_S)
        super().on_response_complete()

    def _close_in(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._give_up)

    def _wait_no_longer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self.is_idle:
            self.transport.abort()


class Stoppable(Protocol):
    """What is told that the server stops, while requests are still under way."""

    def begin(self) -> None:
        """Let requests and jobs come to an end."""


class Server(uvicorn.Server):
    """uvicorn's server, which tells the application first when it is to stop."""

    def __init__(self, config: uvicorn.Config, stopping: Stoppable | None) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        asyncio.get_running_loop().set_exception_handler(_Complaints())
        await super().startup(sockets)
        for one in sockets or ():
            if not self.should_exit:  # asyncio takes as many at once as it lets wait
                one.listen(WAITING)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and let what is under way end."""
        if self._stopping:
            self._stopping.begin()
        await super().shutdown(sockets)


class _Complaints:
    """Writes what asyncio complains of into the log, but no flood of the same."""

    def __init__(self) -> None:
        self._said_at = -QUIET_S

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "socket.accept()" not in str(context.get("message")):
            loop.default_exception_handler(context)
        elif time.monotonic() - self._said_at >= QUIET_S:
            self._said_at = time.monotonic()
            _log.error("no connections can be taken: %s", context.get("exception"))


def server(app: ASGIApp, most: int, stopping: Stoppable | None = None) -> Server:
    """Return a server of at most `most` connections, or as many as there are descriptors for."""
    # Which proxies are believed is for `samgis.access.proxies` to say.
    config = uvicorn.Config(
        app,
        http=partial(Connection, most=min(most, _half_of_descriptors())),  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=AT_ONCE,
        timeout_keep_alive=int(IDLE_S),
        timeout_graceful_shutdown=STOP_S,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
    )
    config.access_log = False
    return Server(config, stopping)


def _outstanding(transport: asyncio.Transport) -> int:
    """Return the bytes that the system has taken from us and the client has not acknowledged."""
    if sys.platform == "win32":
        return 0
    import fcntl  # noqa: PLC0415 - only POSIX has them
    import termios  # noqa: PLC0415

    try:
        answer = fcntl.ioctl(
            transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, b"0000"
        )
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)


def _half_of_descriptors() -> int:
    """Return how many connections leave as many file descriptors to rasters, tiles and jobs."""
    if sys.platform == "win32":
        return 512
    import resource  # noqa: PLC0415 - only POSIX has it

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, (limit - len(list(Path("/dev/fd").iterdir()))) // 2)
