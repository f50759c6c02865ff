"""What every path is made of: its methods, its JSON, its address in links."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from samgis_process.errors import Fault
from samgis_process.ogc.errors import InvalidParameter
from samgis_process.ogc.negotiation import JSON, wants_html
from samgis_process.ogc.wording import did_you_mean, one_of, shown

_FORMATS = ("json", "html")

Handler = Callable[[Request], Awaitable[ASGIApp]]


class Resource:
    """One path: a handler for each of its methods; HEAD and OPTIONS follow from them.

    A plain Route would leave the other methods to whatever is mounted behind it.
    """

    def __init__(self, **handlers: Handler) -> None:
        self._handlers = handlers
        if "GET" in handlers:
            self._handlers["HEAD"] = handlers["GET"]
        self._allowed = {"Allow": ", ".join(sorted([*self._handlers, "OPTIONS"]))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        answer = await self._answer(request)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=self._allowed)
        handler = self._handlers.get(request.method)
        if handler is None:
            detail = f"{request.method} is not offered here, only {self._allowed['Allow']}."
            raise HTTPException(405, detail, self._allowed)
        return await handler(request)


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON; caches must tell it from the page at the same address."""
    return Response(orjson.dumps(content), status, {"Vary": "Accept", **(headers or {})}, JSON)


def base_url(request: Request, public_url: str | None) -> str:
    """Return the server's address for links, without a slash at its end.

    Without a public address, it is the one that the client used: its Host header must have been
    checked before.
    """
    return (public_url or str(request.base_url)).rstrip("/")


def page_is_wanted(request: Request) -> bool:
    """Return whether to answer with a page.

    Raises:
        InvalidParameter: the query's `f` names a format that is not there.
    """
    format_ = request.query_params.get("f")
    if format_ and format_ not in _FORMATS:
        remedy = did_you_mean(format_, _FORMATS)
        fault = Fault("f", f"{shown(format_)} is not offered", one_of(_FORMATS), remedy)
        raise InvalidParameter(fault)
    return wants_html(request.headers.get("accept"), format_)
