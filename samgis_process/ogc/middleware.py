"""Around every request: its id, the last net for errors, and the limit of its body."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samgis_process.ogc import problems
from samgis_process.ogc.errors import BodyTooLarge
from samgis_process.ogc.resource import base_url

LANGUAGE = "en"  # of all that we write


class RequestIds:
    """Gives each request an id, which its answer bears too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                if headers.get("content-type", "").startswith(("text/", "application/json")):
                    headers.setdefault("Content-Language", LANGUAGE)
            await send(message)

        await self._app(scope, receive, send_named)


class Problems:
    """The last net: whatever was raised becomes a problem.

    Starlette's own would show a bug as plain text and raise it again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except Exception as error:
            # Once an answer has begun there can be no other: the server cuts the connection.
            if started or scope["type"] != "http":
                raise
            await problems.response(Request(scope), error)(scope, receive, send)


class TrailingSlash:
    """Sends who writes a slash at the end of a path to the same path without it.

    With 308 the method and the body stay, and the address is that of links: behind a proxy, its.
    """

    def __init__(self, app: ASGIApp, public_url: str | None) -> None:
        self._app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or not path.endswith("/") or not path.strip("/"):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        query = f"?{request.url.query}" if request.url.query else ""
        there = quote("/" + path.strip("/"), safe="/:@!$&'()*+,;=~-._")
        address = f"{base_url(request, self._public_url)}{there}{query}"
        await Response(status_code=308, headers={"Location": address})(scope, receive, send)


class BodyLimit:
    """Refuses bodies of more than `max_bytes`, said or sent."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        # A client that is still sending does not read. Some more is read and thrown away, so
        # that it learns why it is refused instead of finding the connection cut.
        self._patience = 16 * max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._announced(scope) > self._max_bytes:
            await self._drain(receive, self._patience)
            raise self._error()
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                if message.get("more_body"):
                    await self._drain(receive, self._patience)
                raise self._error()
            return message

        await self._app(scope, receive_limited, send)

    @staticmethod
    def _announced(scope: Scope) -> int:
        length = dict(scope["headers"]).get(b"content-length", b"0")
        return int(length) if length.isdigit() else 0

    @staticmethod
    async def _drain(receive: Receive, budget: int) -> None:
        while budget > 0:
            message = await receive()
            budget -= len(message.get("body", b""))
            if not message.get("more_body"):
                return

    def _error(self) -> BodyTooLarge:
        return BodyTooLarge(
            f"The body is longer than the {self._max_bytes} bytes that this server reads. "
            "Send less in one request."
        )
