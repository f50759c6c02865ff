"""Around every request: its id, the last net for errors, and slashes at the end of its path."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samgis_process.ogc import problems
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
        except ClientDisconnect:
            return  # there is nobody to answer
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
