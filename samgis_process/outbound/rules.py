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
# The tables of Python's `ipaddress` differ from version to version. Source: IANA, special-purpose
# address registries of IPv4 and IPv6 (RFC 6890), and multicast (RFC 5771, RFC 4291).
_SPECIAL_4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # private
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and metadata of clouds
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is metadata of a cloud, too
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24",  # AS112 and AMT
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]  # fmt: skip
_UNICAST_6 = ipaddress.IPv6Network("2000::/3")  # all that is given to anybody
_SPECIAL_6 = [
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, with Teredo
        "2001:db8::/32", "3fff::/20",  # documentation
        "2002::/16",  # 6to4: an address of version 4 inside
        "2620:4f:8000::/48",  # AS112
    )
]  # fmt: skip
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
    """Return whether an IP address, also one inside another, is for everybody.

    What the registries set aside for something special is not, even if it can be reached from
    everywhere: no host of anybody's lies there.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _SPECIAL_4)
    if inner := parsed.ipv4_mapped:
        return is_public(str(inner))
    if parsed in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
    return parsed in _UNICAST_6 and not any(parsed in network for network in _SPECIAL_6)


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
