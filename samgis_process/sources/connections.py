"""Pooled connections whose reads end with the read's deadline, byte by byte if need be.

A socket's time-out starts anew with each byte. A server that sends one now and then would hold a
thread for as long as it likes, in the headers as well as in the body.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

POOLED = 64  # connections kept per host, and hosts; gates see to it that far fewer are used
BUFFER = 64 * 1024
# Many servers write headers and body apart and wait with the second for our acknowledgement of the
# first, which the kernel delays by 40 ms; it forgets this option, so it is set for each read.
QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux only


class _Clock(threading.local):
    """When this thread's reads have to end, and how long one of them may be silent."""

    until = float("inf")
    silence_s = 60.0


_CLOCK = _Clock()


@contextmanager
def reads_end(at: float, silence_s: float) -> Iterator[None]:
    """Let this thread's reads fail with TimeoutError after `at` or a silence."""
    before = _CLOCK.until, _CLOCK.silence_s
    _CLOCK.until, _CLOCK.silence_s = at, silence_s
    try:
        yield
    finally:
        _CLOCK.until, _CLOCK.silence_s = before


class _TimedReads(io.RawIOBase):
    """The bytes of a socket, until the thread's clock says that it is over."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        super().__init__()
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _CLOCK.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(min(left, _CLOCK.silence_s))
        if QUICK_ACK is not None:
            self._sock.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_TimedReads(sock, raw), BUFFER)

    def begin(self) -> None:
        super().begin()
        # urllib3 refuses several lengths too, but then leaves the socket open.
        if "," in ",".join(self.headers.get_all("Content-Length", [])):
            raise HTTPException("more than one length")


class _PlainConnection(HTTPConnection):
    response_class = _TimedResponse


class _TlsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS = {"http": _PlainPool, "https": _TlsPool}


class Adapter(HTTPAdapter):
    """Sends one request; retries and redirects are for the caller, who knows the deadline."""

    def __init__(self) -> None:
        super().__init__(POOLED, POOLED, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Build the pools with timed reads."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Return the pools of a proxy, with timed reads too."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager
