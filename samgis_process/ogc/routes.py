"""The paths of OGC API - Processes, for any list of processes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from samgis_process.errors import Fault
from samgis_process.ogc import execute
from samgis_process.ogc.body import require_json
from samgis_process.ogc.descriptions import Descriptions, no_such_process
from samgis_process.ogc.errors import InvalidParameter
from samgis_process.ogc.negotiation import JSON, wants_html
from samgis_process.ogc.pool import WorkPool
from samgis_process.ogc.prefer import execution_mode, preferences
from samgis_process.ogc.problems import request_id_of
from samgis_process.ogc.process import Context, Process
from samgis_process.ogc.request import Offer
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


def json_response(content: Any) -> Response:
    """Return JSON; caches must tell it from the page at the same address."""
    return Response(orjson.dumps(content), headers={"Vary": "Accept"}, media_type=JSON)


def base_url(request: Request, public_url: str | None) -> str:
    """Return the server's address for links, without a slash at its end.

    Without a public address, it is the one that the client used: its Host header must have been
    checked before.
    """
    return (public_url or str(request.base_url)).rstrip("/")


class _Processes:
    """The handlers."""

    def __init__(
        self,
        processes: Iterable[Process],
        pool: WorkPool,
        public_url: str | None,
        html: ASGIApp | None,
    ) -> None:
        processes = list(processes)
        self._offers = {offer.id: offer for offer in map(Offer, processes)}
        self._descriptions = Descriptions(processes)
        self._pool = pool
        self._public_url = public_url
        self._html = html

    async def listed(self, request: Request) -> ASGIApp:
        base = base_url(request, self._public_url)
        content = self._descriptions.summaries(request.query_params, base)
        return self._page(request) or json_response(content)

    async def described(self, request: Request) -> ASGIApp:
        base = base_url(request, self._public_url)
        content = self._descriptions.describe(request.path_params["process_id"], base)
        return self._page(request) or json_response(content)

    async def executed(self, request: Request) -> ASGIApp:
        offer = self._offer(request.path_params["process_id"])
        require_json(request.headers.get("content-type"))
        job_control = offer.process.description.get("jobControlOptions", ["sync-execute"])
        if execution_mode(job_control, preferences(request.headers.getlist("prefer"))) == "async":
            raise HTTPException(501, "Asynchronous execution is not offered yet.")  # jobs go here
        content = await request.body()
        accept = request.headers.get("accept")
        base = base_url(request, self._public_url)
        context = Context(request_id_of(request), base_url=base)
        work = partial(execute.answer, offer, content, accept, context)
        return await self._pool.run(work)

    def _offer(self, process_id: str) -> Offer:
        if process_id not in self._offers:
            raise no_such_process(process_id, self._offers)
        return self._offers[process_id]

    def _page(self, request: Request) -> ASGIApp | None:
        format_ = request.query_params.get("f")
        if format_ and format_ not in _FORMATS:
            remedy = did_you_mean(format_, _FORMATS)
            fault = Fault("f", f"{shown(format_)} is not offered", one_of(_FORMATS), remedy)
            raise InvalidParameter(fault)
        return self._html if wants_html(request.headers.get("accept"), format_) else None


def process_routes(
    processes: Iterable[Process],
    pool: WorkPool,
    *,
    public_url: str | None = None,
    html: ASGIApp | None = None,
) -> list[Route]:
    """Return the routes of a list of processes.

    Args:
        processes: what can be run; their descriptions are read once.
        pool: where they run.
        public_url: the server's address in links; by default the one that the client used.
        html: answers instead of us where a page is wanted.
    """
    here = _Processes(processes, pool, public_url, html)
    return [
        Route("/processes", Resource(GET=here.listed)),
        Route("/processes/{process_id}", Resource(GET=here.described)),
        Route("/processes/{process_id}/execution", Resource(POST=here.executed)),
    ]
