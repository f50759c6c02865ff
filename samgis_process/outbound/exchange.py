"""One request and its answer, within a time, with the IP address that was checked."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urljoin

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from samgis_process import __version__
from samgis_process.outbound.rules import Refused, Rules, Target, Unreachable, target

REDIRECTS = 3
MOST_ADDRESSES = 3  # of a host, to be tried
_MOVED = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429)  # and all of 5xx: another try may have more luck
_PIECE = 65536
_HEADERS = {"User-Agent": f"samgis-process/{__version__}", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may take, redirects included."""

    max_bytes: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address held; `media_type` is None where its server does not say."""

    media_type: str | None
    content: bytes


def get(address: str, rules: Rules, limits: Limits) -> Fetched:
    """Return what lies at an address; redirects are followed to where the rules allow.

    Raises:
        Refused: it leads to where nothing may be asked.
        Unreachable: it did not come, not in time, or is too large.
    """
    deadline = time.monotonic() + limits.timeout_s
    for _ in range(REDIRECTS + 1):
        with _answered("GET", address, rules, deadline) as answer:
            if answer.status not in _MOVED:
                return _content(answer, limits.max_bytes)
            address = _next(address, answer.headers.get("Location", ""))
    raise Unreachable(f"is redirected more than {REDIRECTS} times", passing=False)


def post(address: str, content: bytes, media_type: str, rules: Rules, timeout_s: float) -> None:
    """Send JSON or the like to an address; redirects are not followed.

    Raises:
        Refused: nothing may be sent there.
        Unreachable: it was not taken, or not in time.
    """
    deadline = time.monotonic() + timeout_s
    headers = {"Content-Type": media_type}
    with _answered("POST", address, rules, deadline, content, headers) as answer:
        _require(answer, range(200, 300))


def _next(address: str, location: str) -> str:
    further = urljoin(address, location)
    if address.startswith("https:") and not further.startswith("https:"):
        raise Refused("is redirected from https to something else")
    return further


def _require(answer: http.client.HTTPResponse, wanted: range) -> None:
    if answer.status not in wanted:
        passing = answer.status >= 500 or answer.status in _PASSING
        raise Unreachable(f"was answered with the status {answer.status}", passing=passing)


def _content(answer: http.client.HTTPResponse, max_bytes: int) -> Fetched:
    _require(answer, range(200, 201))
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unreachable("came compressed, which was not asked for", passing=False)
    if (answer.length or 0) > max_bytes:
        raise _too_large(max_bytes)
    pieces, size = [], 0
    while piece := answer.read1(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise _too_large(max_bytes)
    if answer.length:
        raise Unreachable("ended before all of it had come")
    return Fetched(answer.headers.get("Content-Type"), b"".join(pieces))


def _too_large(max_bytes: int) -> Unreachable:
    return Unreachable(f"holds more than {max_bytes} bytes", passing=False)


@contextmanager
def _answered(
    method: str,
    address: str,
    rules: Rules,
    deadline: float,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[http.client.HTTPResponse]:
    """Send a request; yield its answer, whose body must be read meanwhile."""
    where, began = target(address), time.monotonic()
    found = rules.addresses(where)
    late = threading.Event()
    try:
        with _connected(where, found, deadline, late) as connection:
            connection.request(method, where.path, content, {**_HEADERS, **(headers or {})})
            with closing(connection.getresponse()) as answer:
                yield answer
            if late.is_set():  # what has come may not be all of it
                raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            spent = time.monotonic() - began
            raise Unreachable(f"was not answered within {spent:.1f} s") from error
        raise Unreachable("could not be reached, or answered nonsense") from error
    except Unreachable as error:
        if late.is_set():
            raise Unreachable("was not answered in time") from error
        raise


@contextmanager
def _connected(
    where: Target, addresses: list[str], deadline: float, late: threading.Event
) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection that is cut at the deadline, however slowly the other side talks."""
    plain = _first(addresses, where.port, deadline)
    wire = _tls(plain, where.host) if where.scheme == "https" else plain

    def cut() -> None:
        late.set()
        with suppress(OSError):  # not the TLS socket's own: another thread is reading from it
            socket.socket.shutdown(wire, socket.SHUT_RDWR)

    watch = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    watch.daemon = True
    watch.start()
    try:
        if isinstance(wire, ssl.SSLSocket):
            wire.do_handshake()
        connection = http.client.HTTPConnection(where.host, where.port)
        connection.auto_open = 0  # never by the name, which may mean another address by now
        if where.scheme == "https":
            connection.default_port = 443  # for the Host header
        connection.sock = wire
        yield connection
    finally:
        watch.cancel()
        wire.close()


def _first(addresses: list[str], port: int, deadline: float) -> socket.socket:
    """Return a connection to the first address that takes one."""
    problem: OSError = TimeoutError()
    for address in addresses[:MOST_ADDRESSES]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            return socket.create_connection((address, port), left)
        except OSError as error:
            problem = error
    raise problem


def _tls(plain: socket.socket, host: str) -> ssl.SSLSocket:
    """Return the socket for TLS; the certificate must be the host's, whatever its address."""
    authorities = os.environ.get("SSL_CERT_FILE") or DEFAULT_CA_BUNDLE_PATH
    context = ssl.create_default_context(cafile=authorities)
    return context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
