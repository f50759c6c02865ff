"""Who is at the other end: headers of trusted proxies are believed, those of others are not.

Writes into the request's state what later parts ask for: `from_proxy`, whether a trusted proxy
brought it, and `is_local`, whether it surely began on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Kind = Literal["x-forwarded", "forwarded"]
_ITS_SIGNS = ("forwarded", "via", "x-real-ip")  # of a proxy, besides x-forwarded-*
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_PAIR = re.compile(r'\s*([A-Za-z-]+)\s*=\s*(?:"([^"]*)"|([^";,\s]*))\s*')


class _Said(NamedTuple):
    """What proxies say of a request; the last entry was written by the nearest one."""

    addresses: Sequence[str]
    scheme: str
    host: str
    prefix: str = ""


class Proxies:
    """Puts the client's own address, scheme and host in the place of a trusted proxy's.

    And the path below which it finds this server, from the public address or else from the proxy:
    links get it, routes never see it, whether the proxy takes it off or not.
    """

    def __init__(
        self,
        app: ASGIApp,
        networks: Iterable[Network],
        kind: Kind,
        public_url: str | None = None,
    ) -> None:
        self._app = app
        self._prefix = urlsplit(public_url or "").path.rstrip("/")
        self._networks = list(networks)
        self._read = _x_forwarded if kind == "x-forwarded" else _forwarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            peer = _address((scope.get("client") or ("", 0))[0])
            state = scope.setdefault("state", {})
            state["from_proxy"] = self._trusts(peer)
            state["is_local"] = _is_local(peer, headers) and not state["from_proxy"]
            said = self._read(headers) if state["from_proxy"] else None
            if said:
                scope = self._translated(scope, said)
            if prefix := self._prefix or (said.prefix if said else ""):
                scope = _below(scope, prefix)
        await self._app(scope, receive, send)

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)

    def _translated(self, scope: Scope, said: _Said) -> Scope:
        changed = {**scope, "headers": list(scope["headers"])}
        client = self._client(said.addresses)
        if client:
            changed["client"] = (str(client), 0)
        if said.scheme in {"http", "https"}:
            changed["scheme"] = said.scheme
        if said.host:
            MutableHeaders(raw=changed["headers"])["host"] = said.host
        return changed

    def _client(self, addresses: Sequence[str]) -> Address | None:
        """Return the last address that is not a trusted proxy's: those before may be invented."""
        last = None
        for text in reversed(addresses):
            address = _address(_without_port(text))
            if address is None:
                break
            last = address
            if not self._trusts(address):
                break
        return last


def _below(scope: Scope, prefix: str) -> Scope:
    """Return the request with the path that routes know, and `prefix` for links."""
    path = scope["path"]
    inner = path.removeprefix(prefix) if f"{path}/".startswith(f"{prefix}/") else path
    return {**scope, "path": inner or "/", "root_path": prefix}


def _is_local(peer: Address | None, headers: Headers) -> bool:
    brought = any(name in _ITS_SIGNS or name.startswith("x-forwarded-") for name in headers)
    return peer is not None and peer.is_loopback and not brought


def _address(text: str) -> Address | None:
    try:
        found = ip_address(text)
    except ValueError:  # a socket file, or nonsense
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _x_forwarded(headers: Headers) -> _Said:
    return _Said(
        _entries(headers, "x-forwarded-for"),
        (_entries(headers, "x-forwarded-proto") or [""])[-1].lower(),
        (_entries(headers, "x-forwarded-host") or [""])[-1],
        _prefix((_entries(headers, "x-forwarded-prefix") or [""])[-1]),
    )


def _prefix(text: str) -> str:
    """Return a path without a slash at its end; of what is none, nothing."""
    path = text.rstrip("/")
    return path if _PREFIX.fullmatch(path) else ""


def _forwarded(headers: Headers) -> _Said:
    """Read RFC 7239; of what is quoted, only addresses with ports matter."""
    entries = [_pairs(entry) for entry in _entries(headers, "forwarded")]
    last = entries[-1] if entries else {}
    addresses = [entry.get("for", "") for entry in entries]
    return _Said(addresses, last.get("proto", "").lower(), last.get("host", ""))


def _pairs(entry: str) -> dict[str, str]:
    matches = [_PAIR.fullmatch(part) for part in entry.split(";")]
    return {found[1].lower(): found[2] or found[3] or "" for found in matches if found}


def _entries(headers: Headers, name: str) -> list[str]:
    return [part.strip() for text in headers.getlist(name) for part in text.split(",")]
