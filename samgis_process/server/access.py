"""Who may ask what, and how often: before any route, and before a body is read.

Writes into the request's state whose it is: `owner`, which jobs and results belong to, and
`is_operator`.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samgis_process.ogc.errors import NotAllowed, NotSignedIn, TooManyRequests
from samgis_process.server.keys import Entry, Keyring
from samgis_process.server.rate_limits import RateLimit, name_of

KEY_HEADER = "X-API-Key"
REALM = 'realm="samgis-process"'
LONGEST_USER = 200  # characters of a user's name

_FREE = frozenset({"/health", "/metrics"})  # they say themselves whom they answer
_ASSETS = "/assets/"  # files of the package: what a page needs that asks for a key
_OPEN = re.compile(
    r"/|/conformance/?|/openapi/?|/processes/?|/processes/[^/]+(?:/form)?|/static/.+|/map/sources"
)
_EXECUTION = re.compile(r"/processes/[^/]+/execution/?")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_UNLIMITED = frozenset({"/health"})
# A page comes in many parts, and a map in many tiles: of these, so many cost as much as a request.
_SMALL = re.compile(r"/assets/.+|/static/.+|/map/tiles/.+")
SMALL_PER_REQUEST = 20


class Settings(Protocol):
    """What `settings.AccessSettings` says of it."""

    @property
    def keys(self) -> Iterable[Entry]:
        """API keys."""
        ...

    @property
    def user_header(self) -> str | None:
        """Header in which a proxy names a user."""
        ...

    @property
    def everything(self) -> bool:
        """Whether nothing is open."""
        ...

    @property
    def requests_per_minute(self) -> float | None:
        """Requests of one client."""
        ...

    @property
    def burst(self) -> int:
        """Of these, how many at once."""
        ...

    @property
    def executions_per_minute(self) -> float | None:
        """Executions of one client."""
        ...

    @property
    def executions_burst(self) -> int:
        """Of these, how many at once."""
        ...


class Who(NamedTuple):
    """Who asks; the owner is "" where nobody was asked to say."""

    owner: str = ""
    is_operator: bool = False


NOBODY_KNOWN = Who()


class Access:
    """Refuses whom the settings do not let in, and who comes too often."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._keys = Keyring(settings.keys)
        self._user_header = settings.user_header
        self._everything = settings.everything
        self._requests = RateLimit(settings.requests_per_minute, settings.burst)
        self._executions = RateLimit(settings.executions_per_minute, settings.executions_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in _UNLIMITED:
            await self._app(scope, receive, send)
            return
        who = self._let_in(scope)
        scope["state"] |= {"owner": who.owner, "is_operator": who.is_operator}
        await self._app(scope, receive, _private(send) if who.owner else send)

    def _let_in(self, scope: Scope) -> Who:
        """Return who asks; who cannot say so pays like everybody at their address."""
        address = name_of((scope.get("client") or ("unknown", 0))[0])
        try:
            who = self._who(scope)
        except (NotSignedIn, NotAllowed):
            self._pay(address, scope, 1)  # so that guessing is not cheap
            raise
        self._pay(who.owner or address, scope, _cost(scope["path"]))
        if not who.owner and self._is_closed(scope):
            raise self._not_signed_in("This is for those who say who they are.")
        return who

    def _pay(self, name: str, scope: Scope, cost: float) -> None:
        _take(self._requests, name, "requests", cost)
        if scope["method"] == "POST" and _EXECUTION.fullmatch(scope["path"]):
            _take(self._executions, name, "executions")

    def _is_closed(self, scope: Scope) -> bool:
        if not (self._keys or self._user_header):
            return False
        return is_closed(scope["method"], scope["path"], everything=self._everything)

    def _who(self, scope: Scope) -> Who:
        headers = Headers(scope=scope)
        user = self._user(scope, headers)
        if user:
            return Who(f"user:{user}")
        key = self._key(scope, headers) if self._keys else None
        if key is None:
            return NOBODY_KNOWN
        holder = self._keys.holder(key)
        if holder is None:
            raise self._not_signed_in("The key is not known here.", ', error="invalid_token"')
        return Who(f"key:{holder.name}", holder.is_operator)

    def _key(self, scope: Scope, headers: Headers) -> str | None:
        """Return the key that was sent, if there is one; other ways to sign in are not ours.

        As the password of HTTP Basic, which is all that some clients have, but never in clear
        over a network.
        """
        if KEY_HEADER in headers:
            return headers[KEY_HEADER].strip()
        scheme, _, token = headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        if scheme.lower() != "basic":
            return None
        try:
            password = base64.b64decode(token, validate=True).decode().partition(":")[2]
        except ValueError:
            return None
        if self._keys.holder(password) is None:  # a proxy's own password, passed on
            return None
        if scope.get("scheme") != "https" and not scope["state"].get("is_local"):
            raise self._not_signed_in("A key as a password is taken over https alone.")
        return password

    def _user(self, scope: Scope, headers: Headers) -> str | None:
        """Return the user whom a trusted proxy names."""
        name = self._user_header
        sent = headers.getlist(name) if name else []
        if not name or not any(sent):
            return None
        if not scope["state"].get("from_proxy"):
            raise self._not_signed_in(f"The header {name} counts only from the server's proxy.")
        user = _utf8(sent[0]).strip()
        if len(sent) > 1 or not 0 < len(user) <= LONGEST_USER or not user.isprintable():
            raise self._not_signed_in(f"The header {name} does not hold one name.")
        _require_same_site(scope, headers)
        return user

    def _not_signed_in(self, what: str, more: str = "") -> NotSignedIn:
        """Return the error, with what to do, and how."""
        ways, challenge = [], f"ProxyUser {REALM}"
        if self._keys:
            ways.append(
                f"send a key as `{KEY_HEADER}: KEY`, `Authorization: Bearer KEY`, or as the "
                "password of HTTP Basic over https"
            )
            challenge = f"Bearer {REALM}{more}"
        if self._user_header:
            ways.append("come through the proxy that signs people in")
        remedy = " or ".join(ways)
        return NotSignedIn(f"{what} {remedy[:1].upper()}{remedy[1:]}.", challenge)


def is_closed(method: str, path: str, *, everything: bool) -> bool:
    """Return whether who asks must say who they are, on a server that wants to know.

    Preflights bear no keys, and what they ask is no secret.
    """
    if path in _FREE or path.startswith(_ASSETS) or method == "OPTIONS":
        return False
    return everything or method not in _READS or not _OPEN.fullmatch(path)


def _utf8(text: str) -> str:
    """Return a header as its sender surely meant it; what is no UTF-8 stays Latin-1."""
    try:
        return text.encode("latin-1").decode()
    except ValueError:
        return text


def _require_same_site(scope: Scope, headers: Headers) -> None:
    """Refuse what another site makes the browser of somebody signed in send."""
    site = headers.get("sec-fetch-site", "none")
    if scope["method"] not in _READS and site not in {"none", "same-origin"}:
        raise NotAllowed("Another site cannot act for whoever is signed in here.")


def _cost(path: str) -> float:
    return 1 / SMALL_PER_REQUEST if _SMALL.fullmatch(path) else 1


def _take(limit: RateLimit, name: str, what: str, cost: float = 1) -> None:
    wait = limit.take(name, cost)
    if wait:
        seconds = math.ceil(wait)
        raise TooManyRequests(
            f"There were more {what} than this server takes from one client. "
            f"Try again in {seconds} s.",
            seconds,
        )


def _private(send: Send) -> Send:
    """Keep shared caches from giving one's answers to another: keys are no name to them."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", "private")
            headers.add_vary_header(f"Authorization, {KEY_HEADER}")
        await send(message)

    return send_private
