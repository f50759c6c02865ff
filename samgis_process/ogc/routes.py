"""The paths of OGC API - Processes, for any list of processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from samgis_process.ogc import execute, process_pages
from samgis_process.ogc.body import mentions, require_json
from samgis_process.ogc.descriptions import Descriptions, job_control, no_such_process
from samgis_process.ogc.execute import Client, Elsewhere
from samgis_process.ogc.job_routes import JobHandlers, job_routes
from samgis_process.ogc.owner import owner_of
from samgis_process.ogc.pool import WorkPool
from samgis_process.ogc.prefer import execution_mode, preferences
from samgis_process.ogc.problems import request_id_of
from samgis_process.ogc.process import Context, Process
from samgis_process.ogc.request import Offer
from samgis_process.ogc.resource import Resource, base_url, json_response, page_is_wanted
from samgis_process.ogc.result_pages import shown
from samgis_process.ogc.service_pages import HOME, PageOf

_NOWHERE = Elsewhere()


class _Processes:
    """The handlers."""

    def __init__(
        self,
        processes: Iterable[Process],
        pool: WorkPool,
        public_url: str | None,
        jobs: JobHandlers | None,
        elsewhere: Elsewhere,
        pages: Mapping[str, PageOf],
    ) -> None:
        processes = list(processes)
        references = elsewhere.keep is not None
        offers = [Offer(process, references=references) for process in processes]
        self._offers = {offer.id: offer for offer in offers}
        self._descriptions = Descriptions(processes, jobs=jobs is not None, references=references)
        self._elsewhere = elsewhere
        self._pool = pool
        self._public_url = public_url
        self._jobs = jobs
        self._pages = pages

    async def listed(self, request: Request) -> ASGIApp:
        base = base_url(request, self._public_url)
        content = self._descriptions.summaries(request.query_params, base)
        if page_is_wanted(request):
            return process_pages.list_page(request, content)
        return json_response(content)

    async def described(self, request: Request) -> ASGIApp:
        if not page_is_wanted(request):
            return json_response(self._description(request))
        own = self._pages.get(request.path_params["process_id"])
        if own:
            return await own(request, self._description(request))
        return process_pages.form_page(request, self._description(request))

    async def asked(self, request: Request) -> ASGIApp:
        content = self._description(request)
        return process_pages.form_page(request, content, has_own=content["id"] in self._pages)

    def _description(self, request: Request) -> dict[str, Any]:
        base = base_url(request, self._public_url)
        return self._descriptions.describe(request.path_params["process_id"], base)

    async def executed(self, request: Request) -> ASGIApp:
        offer = self._offer(request.path_params["process_id"])
        headers = request.headers
        has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        if has_body or "content-type" in headers:
            require_json(headers.get("content-type"))
        options = job_control(offer.process.description, jobs=self._jobs is not None)
        preferred = preferences(request.headers.getlist("prefer"))
        if self._jobs and execution_mode(options, preferred) == "async":
            return await self._jobs.executed(offer, request, preferred)
        content = await request.body()
        asked = bool(self._jobs and self._jobs.subscribing)
        called = asked and await run_in_threadpool(mentions, content, b'"subscriber"')
        if self._jobs and (called or offer.apart):
            # Who is to be called about a run is called about a job; this client waits for its end.
            return await self._jobs.executed(offer, request, preferred, whole=True)
        client = Client(request.headers.get("accept"), preferred)
        base = base_url(request, self._public_url)
        context = Context(request_id_of(request), base_url=base, owner=owner_of(request))
        work = partial(execute.answer, offer, content, client, context, self._elsewhere)
        answer = await self._pool.run(work)
        trail = (HOME, process_pages.PROCESSES, process_pages.place(offer.id))
        return await run_in_threadpool(shown, request, answer, client.accept, *trail)

    def _offer(self, process_id: str) -> Offer:
        if process_id not in self._offers:
            raise no_such_process(process_id, self._offers)
        return self._offers[process_id]


def process_routes(
    processes: Iterable[Process],
    pool: WorkPool,
    *,
    public_url: str | None = None,
    jobs: JobHandlers | None = None,
    elsewhere: Elsewhere = _NOWHERE,
    pages: Mapping[str, PageOf] | None = None,
) -> list[Route]:
    """Return the routes of a list of processes.

    Args:
        processes: what can be run; their descriptions are read once.
        pool: where they run.
        public_url: the server's address in links; by default the one that the client used.
        jobs: makes jobs of what is not to be waited for; without it there are none.
        elsewhere: where values lie that are in no body; by default they are all in bodies.
        pages: makes the page of a process, by its id, from its description with links; the others
            have that of their form, which is at `/processes/{process_id}/form` for all.
    """
    here = _Processes(processes, pool, public_url, jobs, elsewhere, pages or {})
    return [
        Route("/processes", Resource(GET=here.listed)),
        Route("/processes/{process_id}", Resource(GET=here.described)),
        Route("/processes/{process_id}/form", Resource(GET=here.asked)),
        Route("/processes/{process_id}/execution", Resource(POST=here.executed)),
        *(job_routes(jobs) if jobs else ()),
    ]
