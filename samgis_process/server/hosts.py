"""Against pages of other sites: whose names this server has, and who may make it do something.

A page on somebody's own domain can make that name point at 127.0.0.1 and then read, with the
rights of its visitor's machine, what listens there. The Host header still holds the foreign name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from samgis_process.errors import Fault
from samgis_process.ogc.errors import NotAllowed, UnknownHost
from samgis_process.ogc.wording import shown
from samgis_process.server.access import KEY_HEADER

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY = "*"
_HOST = re.compile(r"([a-z0-9_-][a-z0-9._-]*|\[[0-9a-f:.]+\])(:[0-9]*)?")


def allowed_names(public_url: str | None, configured: Iterable[str]) -> frozenset[str]:
    """Return the names, lower case, that a Host header may hold; with a port only that port."""
    own = {urlsplit(public_url).hostname or ""} if public_url else set()
    return frozenset({_bracketed(name.lower()) for name in {*own, *configured} if name} | LOOPBACK)


def _bracketed(name: str) -> str:
    """Return an IPv6 address as Host headers write it."""
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name


def without_port(host: str) -> str:
    """Return the name of a Host header."""
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isdigit() or not port) and not name.endswith(":") else host


class KnownHosts:
    """Refuses requests whose Host header is none of `names`, or missing."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] in {"http", "websocket"}:
            hosts = [value.decode("latin-1") for key, value in scope["headers"] if key == b"host"]
            if len(hosts) != 1 or not self._knows(hosts[0].lower()):
                raise self._error(hosts)
        await self._app(scope, receive, send)

    def _knows(self, host: str) -> bool:
        if not _HOST.fullmatch(host):  # it comes back in links, so anything else is refused
            return False
        name = without_port(host).removesuffix(".")
        return ANY in self._names or name in self._names or host in self._names

    def _error(self, hosts: list[str]) -> UnknownHost:
        message = f"{shown(hosts[0])} is not a name of this server" if hosts else "names no server"
        return UnknownHost(
            Fault(
                "Host",
                message,
                f"{', '.join(sorted(self._names))}, with any port",
                "Use one of these, or add the name to the setting samgis.server.allowed_hosts "
                "(SAMGIS_SERVER__ALLOWED_HOSTS) or set SAMGIS_PUBLIC_URL.",
            )
        )


class OwnPages:
    """Refuses what pages of other sites make a browser send, unless it is only to read.

    Without keys, whoever reaches the server may use it, and so might every page that a person on
    the same machine looks at. What is no browser says neither of the two headers.
    """

    def __init__(self, app: ASGIApp, public_url: str | None) -> None:
        self._app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] not in {"GET", "HEAD", "OPTIONS"}:
            self._check(Request(scope))
        await self._app(scope, receive, send)

    def _check(self, request: Request) -> None:
        authorization = request.headers.get("authorization", "").lower()
        if KEY_HEADER in request.headers or authorization.startswith("bearer "):
            return  # no browser adds these by itself, and pages of other sites may not
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None:
            foreign = site not in {"none", "same-origin"}
        else:
            # Browsers say the first to whom they trust alone: https, and this machine.
            known = (str(request.base_url), self._public_url)
            ours = {urlsplit(one).netloc for one in known if one}
            foreign = origin is not None and urlsplit(origin).netloc.lower() not in ours
        if foreign:
            raise NotAllowed(
                f"This was sent by a page of another site (Origin: {shown(origin or 'unknown')}), "
                "which this server does not allow (server.cors in the configuration)."
            )
