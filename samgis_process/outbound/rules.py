"""Where requests on behalf of strangers may go."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from samgis_process.errors import NotAsked

PORTS = {"http": 80, "https": 443}
_LONGEST = 2000  # characters of an address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")  # browsers and servers disagree about these
_NAME = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")  # or an IPv6 address


class Refused(NotAsked):
    """No request may go there."""


class Unreachable(NotAsked):
    """A request that may go there did not get what it wants.

    Attributes:
        passing: whether another try may have more luck.
    """

    def __init__(self, message: str, *, passing: bool = True) -> None:
        super().__init__(message)
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Target:
    """An address, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def names(self) -> set[str]:
        """What rules may call the host; the port may be left out where it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {host} if self.port == PORTS[self.scheme] else set()
        return {f"{host}:{self.port}", *usual}


def target(address: str) -> Target:
    """Return the parts of an address.

    Raises:
        Refused: it is none that is asked over HTTP.
    """
    try:
        if len(address) > _LONGEST or _UNFIT.search(address):
            raise Refused("is no address, or a very long one")
        parts = urlsplit(address)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        name = host if ":" in host else host.encode("idna").decode().lower()
    except ValueError as error:  # UnicodeError is one
        raise Refused("is no address") from error
    if parts.scheme not in PORTS:
        raise Refused("is no address of http or https")
    if parts.username is not None or not _NAME.fullmatch(name) or port == 0:
        raise Refused("has no plain name of a host, or holds a user's name")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return Target(
        parts.scheme, name, port or PORTS[parts.scheme], path + (f"?{query}" if query else "")
    )


def is_public(address: str) -> bool:
    """Return whether an IP address, also one inside another, is for everybody."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and (inner := _inner(parsed)):
        return is_public(str(inner))
    odd = parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified
    return parsed.is_global and not odd and not getattr(parsed, "is_site_local", False)


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the address of version 4 to which a gateway would pass it on."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True)
class Rules:
    """Where requests may go.

    Attributes:
        hosts: `name` or `name:port` of all that may be asked; None: every public one.
        private_hosts: those that may be asked although their addresses are not public.
        resolve: returns the addresses of a host.
    """

    hosts: Collection[str] | None = None
    private_hosts: Collection[str] = ()
    resolve: Callable[[str, int], list[str]] = _resolve

    def check(self, where: Target) -> None:
        """Refuse what can be refused by its name alone.

        Raises:
            Refused: nothing may be asked there.
        """
        if self._is_in(where, self.private_hosts):
            return
        if self.hosts is not None and not self._is_in(where, self.hosts):
            raise Refused("is at a host that this server may not ask")
        if where.host == "localhost" or where.host.endswith(".localhost"):
            raise _private()
        try:
            public = is_public(where.host)
        except ValueError:  # a name
            return
        if not public:
            raise _private()

    def addresses(self, where: Target) -> list[str]:
        """Return the IP addresses of a host, all of them checked.

        Raises:
            Refused: nothing may be asked there.
            Unreachable: the name is not known.
        """
        self.check(where)
        try:
            found = self.resolve(where.host, where.port)
        except (OSError, ValueError) as error:
            raise Unreachable("is at a host whose name is not known") from error
        # A host with public and other addresses is a trap, or a mistake.
        if not self._is_in(where, self.private_hosts) and not all(map(is_public, found)):
            raise _private()
        return found

    @staticmethod
    def _is_in(where: Target, hosts: Collection[str]) -> bool:
        return bool(where.names & {host.lower() for host in hosts})


def _private() -> Refused:
    return Refused("leads to an address that is not public")
