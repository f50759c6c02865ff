"""The limits of what a client sends: headers, the body of one request, all bodies together."""

from __future__ import annotations

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samgis_process.errors import Fault, InvalidRequest, Overloaded
from samgis_process.ogc.errors import BodyTooLarge, HeadersTooLarge, RequestTooSlow

MAX_HEADER_BYTES = 32 * 1024  # of all headers and the address together
SMALL = 64 * 1024  # bytes of a body that count for nothing: such always find room
PAUSE_S = 20.0  # the longest between two pieces of a body
BEGIN_S = 30.0  # before anybody counts how fast a body comes
SLOWEST = 16 * 1024  # bytes a second of a body, from then on


class Bounded:
    """Refuses what is too long, too slow, or sent in two ways at once.

    Args:
        max_bytes: of one body.
        max_bytes_together: of the bodies of all requests under way.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_bytes_together: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_bytes_together = max_bytes_together
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _check_headers(scope)
        if _announced(scope) > self._max_bytes:
            raise self._too_large()
        body = _Body(self, receive)
        try:
            await self._app(scope, body.receive, send)
        finally:
            self._held -= body.held

    def take(self, received: int, held: int) -> int:
        """Return how many bytes of a body are counted, now that so many have come.

        Raises:
            BodyTooLarge: that is too much for one.
            Overloaded: it is too much for all together.
        """
        if received > self._max_bytes:
            raise self._too_large()
        more = max(0, received - SMALL) - held
        if more and self._held + more > self._max_bytes_together:
            raise Overloaded(
                "The bodies of all requests under way take all of the "
                f"{self._max_bytes_together} bytes that this server keeps for them "
                "(limits.max_bytes_together). Try again in a few seconds."
            )
        self._held += more
        return held + more

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(
            f"The body is longer than the {self._max_bytes} bytes that this server reads. "
            "Send less in one request."
        )


class _Body:
    """The body of one request, as it comes."""

    def __init__(self, limits: Bounded, receive: Receive) -> None:
        self.held = 0
        self._limits = limits
        self._receive = receive
        self._received = 0
        self._begun = time.monotonic()
        self._is_whole = False

    async def receive(self) -> Message:
        if self._is_whole:  # what still can come is that the client goes away
            return await self._receive()
        try:
            async with asyncio.timeout(PAUSE_S):
                message = await self._receive()
        except TimeoutError:
            raise RequestTooSlow(
                f"Nothing came of the body for {PAUSE_S:g} seconds. Send the request again."
            ) from None
        self._received += len(message.get("body", b""))
        self._is_whole = not message.get("more_body")
        self.held = self._limits.take(self._received, self.held)
        taken = time.monotonic() - self._begun - BEGIN_S
        if not self._is_whole and taken > self._received / SLOWEST:
            raise RequestTooSlow(
                f"The body comes in less than {SLOWEST} bytes a second. Send less, or send it "
                "over a faster line."
            )
        return message


def _check_headers(scope: Scope) -> None:
    headers = scope["headers"]
    length = sum(len(name) + len(value) + 4 for name, value in headers)
    length += len(scope.get("raw_path") or b"") + len(scope.get("query_string", b""))
    if length > MAX_HEADER_BYTES:
        raise HeadersTooLarge(
            f"The address and the headers are {length} bytes; this server reads "
            f"{MAX_HEADER_BYTES}. Put long values into the body."
        )
    names = {name for name, _ in headers}
    if b"transfer-encoding" in names and b"content-length" in names:
        # Where two servers disagree on which counts, one request hides another.
        raise InvalidRequest(
            Fault("Content-Length", "is sent together with Transfer-Encoding", "one of them")
        )


def _announced(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0
