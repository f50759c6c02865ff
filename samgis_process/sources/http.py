"""GET with patience, but not without end: retries, redirects, limits, one deadline for all.

Messages name the source and the tile, never the address: it may carry a key. For the same reason
errors of the libraries below are not chained; their texts hold addresses, and logs are read.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from samgis_process import __version__
from samgis_process.errors import SourceTimeout, SourceUnavailable
from samgis_process.sources.connections import Adapter, reads_end
from samgis_process.sources.freshness import http_date
from samgis_process.sources.hosts import (
    Breaker,
    Budget,
    Forbidden,
    Gate,
    Host,
    HostRules,
    OutOfTime,
    Refused,
)
from samgis_process.sources.http_errors import in_our_words

HEADERS = {
    "User-Agent": f"samgis-process/{__version__}",
    "Accept": "image/png,image/jpeg,image/webp,image/gif;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "identity",  # pictures are compressed already
}
ABSENT = frozenset({204, 404, 410})  # how tile servers say that there is no such tile
BUSY = frozenset({408, 429, 500, 502, 503, 504})  # worth another try
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 3
MAX_BODY_BYTES = 16 * 2**20
PIECE = 64 * 1024
BACKOFF_S = 0.3  # before the second try; doubled before each further one
MOST_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Transport:
    """How patient and how parallel to be; seconds.

    Attributes:
        threads: tiles under way at the same time.
        retries: further tries of a request that failed.
        host_connections: requests at the same time to one host, over all its sources.
        max_rate: requests a second; None: as they come.
        retry_after_s: how much of a server's `Retry-After` is waited for.
        redirect_hosts: `name` or `name:port` that a server may send us to, besides its own.
    """

    threads: int = 8
    connect_timeout_s: float = 3.05
    read_timeout_s: float = 10.0
    deadline_s: float = 60.0
    retries: int = 2
    host_connections: int = 8
    max_rate: float | None = None
    retry_after_s: float = 3.0
    redirect_hosts: frozenset[str] = frozenset()


class _Busy(SourceUnavailable):
    """The server cannot answer now, and may have said for how long."""

    def __init__(self, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.retry_after_s = _retry_after(headers)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: a picture (200), nothing new (304), or no tile (204, 404, 410).

    Attributes:
        headers: names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class HttpClient:
    """Connections and hosts, shared by all sources of the process. Safe for many threads."""

    def __init__(self, rules: HostRules = HostRules()) -> None:  # noqa: B008  immutable
        self._rules = rules
        self._adapter = Adapter()
        self._environment = requests.Session()  # reads proxies and certificates, sends nothing
        self._hosts: dict[str, Host] = {}
        self._options: dict[str, Mapping[str, Any]] = {}
        self._lock = threading.Lock()

    def host(self, url: str) -> Host:
        """Return the host of an address."""
        origin = _origin(url)
        with self._lock:
            if origin not in self._hosts:
                self._hosts[origin] = Host(Gate(MOST_CONNECTIONS), Breaker(self._rules))
            return self._hosts[origin]

    def get(
        self,
        url: str,
        name: str,
        transport: Transport,
        budget: Budget,
        ask: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer.

        Args:
            url: the address.
            name: what is fetched, for messages.
            transport: the source's patience.
            budget: the time of the whole read.
            ask: headers that make the request conditional.

        Raises:
            SourceTimeout: it did not come in time.
            SourceUnavailable: the server cannot be reached, or answers something else.
        """
        visit = _Visit(self, name, transport, budget, {**HEADERS, **(ask or {})})
        with self.host(url).breaker.attempt(name, budget):
            return visit.try_repeatedly(url)

    def send(self, url: str, headers: Mapping[str, str], timeouts: tuple[float, float]) -> _Reply:
        """Send one request; the answer's body is still to be read."""
        request = requests.Request("GET", url, headers=dict(headers)).prepare()
        options = self._options_of(url)
        return self._adapter.send(request, stream=True, timeout=timeouts, **options)

    def _options_of(self, url: str) -> Mapping[str, Any]:
        """Return proxies and certificates of the environment; looking them up is slow."""
        origin = _origin(url)
        if origin not in self._options:
            settings = self._environment.merge_environment_settings(url, {}, True, None, None)
            self._options[origin] = {key: settings[key] for key in ("proxies", "verify", "cert")}
        return self._options[origin]


_Reply = requests.Response


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request with all its tries."""

    client: HttpClient
    name: str
    transport: Transport
    budget: Budget
    headers: Mapping[str, str]

    def try_repeatedly(self, url: str) -> Answer:
        attempt = 0
        while True:
            try:
                return self._accept(self._follow(url))
            except (Refused, OutOfTime):
                raise
            except SourceUnavailable as error:
                asked = error.retry_after_s if isinstance(error, _Busy) else 0.0
                wait = max(_backoff(attempt), min(asked, self.transport.retry_after_s))
                if attempt == self.transport.retries or not self.budget.sleep(wait):
                    raise
            attempt += 1

    def _accept(self, answer: Answer) -> Answer:
        if answer.status in {200, 304} or answer.status in ABSENT:
            return answer
        says = f"{self.name}: the server answered {answer.status}"
        if answer.status == requests.codes.forbidden:
            raise Forbidden(says)
        raise _Busy(says, answer.headers) if answer.status in BUSY else Refused(says)

    def _follow(self, url: str) -> Answer:
        """Return the answer behind redirects."""
        allowed = {urlsplit(url).netloc.lower(), *self.transport.redirect_hosts}
        for _ in range(MAX_REDIRECTS + 1):
            gate = self.client.host(url).gate
            gate.lower_to(self.transport.host_connections)
            with gate.enter(self.name, self.budget):
                answer = self._once(url)
            if answer.status not in REDIRECTS:
                return answer
            url = self._target(url, answer.headers.get("location", ""), allowed)
        raise Refused(f"{self.name}: the server redirects in circles")

    def _target(self, url: str, location: str, allowed: set[str]) -> str:
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
        except ValueError:
            raise Refused(f"{self.name}: the server redirects to no address") from None
        if parts.scheme != urlsplit(url).scheme or parts.netloc.lower() not in allowed:
            raise Refused(
                f"{self.name}: the server redirects to another host or scheme, "
                "which the source's configuration does not allow"
            )
        return target

    def _once(self, url: str) -> Answer:
        """Send one request and read the answer."""
        left = self.budget.left()
        silence = min(self.transport.read_timeout_s, left)
        connect = min(self.transport.connect_timeout_s, left)
        try:
            with (
                reads_end(self.budget.deadline, silence),
                self.client.send(url, self.headers, (connect, silence)) as reply,
            ):
                return self._read(reply)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise in_our_words(error, self.name) from None

    def _read(self, reply: _Reply) -> Answer:
        headers = {name.lower(): value for name, value in reply.headers.items()}
        status = reply.status_code
        if status == requests.codes.ok:
            self._check_length(headers.get("content-length", "0"))
            return Answer(status, headers, self._body(reply))
        if status in ABSENT:
            reply.raw.read1(PIECE)  # most are shorter, and then the connection can be kept
        return Answer(status, headers)

    def _check_length(self, declared: str) -> None:
        if not (declared.isascii() and declared.isdigit()):  # RFC 9112, 6.3: to be discarded
            raise SourceUnavailable(f"{self.name}: the server's answer has no valid length")
        if len(declared) > 12 or int(declared) > MAX_BODY_BYTES:
            raise Refused(f"{self.name} has more than {MAX_BODY_BYTES} bytes")

    def _body(self, reply: _Reply) -> bytes:
        """Read in pieces: what is said of the length need not be true."""
        data = bytearray()
        while piece := reply.raw.read1(PIECE, decode_content=True):
            data += piece
            if len(data) > MAX_BODY_BYTES:
                raise Refused(f"{self.name} has more than {MAX_BODY_BYTES} bytes")
            if self.budget.left() <= 0:
                raise SourceTimeout(f"{self.name}: it did not come in time")
        return bytes(data)


def _backoff(attempt: int) -> float:
    """Return seconds; jitter keeps many clients from coming back all at once."""
    return BACKOFF_S * (1 << attempt) * random.uniform(0.5, 1.0)  # noqa: S311


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that the server asks us to wait: a number or a date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    date = http_date(text)
    return 0.0 if date is None else max(0.0, date - time.time())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"
