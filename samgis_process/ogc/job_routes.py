"""Asynchronous execution, and the paths of jobs."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from samgis_process.errors import NoSuchResult
from samgis_process.ogc import body, execute, job_pages, job_results, job_status
from samgis_process.ogc import query as queries
from samgis_process.ogc import request as requests
from samgis_process.ogc.errors import JobDismissed, NoSuchJob, NotAcceptable
from samgis_process.ogc.hrefs import Fetch
from samgis_process.ogc.jobs import Jobs, Kept
from samgis_process.ogc.negotiation import HTML, JSON
from samgis_process.ogc.owner import owner_of
from samgis_process.ogc.pages import Place
from samgis_process.ogc.prefer import return_, wait_s
from samgis_process.ogc.problems import request_id_of
from samgis_process.ogc.process import Context
from samgis_process.ogc.request import ExecuteRequest, Offer
from samgis_process.ogc.resource import Resource, base_url, json_response, page_is_wanted
from samgis_process.ogc.result_pages import shown as as_page
from samgis_process.ogc.service_pages import HOME
from samgis_process.ogc.subscriber import Check
from samgis_process.ogc.wording import shown

_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")
THREADS = 16
LOOK_S = 1.0  # between looks at a job that another server may be working on


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobHandlers:
    """The handlers.

    Attributes:
        max_wait_s: the longest that a client is kept waiting, whatever it prefers.
        fetch: gets inputs that come by reference; without it, none do.
        subscribing: checks addresses to call about a job; without it, nobody is called.
        threads: those that ask the record of jobs; when it hangs, no other request waits for one.
    """

    jobs: Jobs[Any]
    public_url: str | None
    max_wait_s: int
    fetch: Fetch | None = None
    subscribing: Check | None = None
    threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(THREADS))

    async def executed(
        self,
        offer: Offer,
        request: Request,
        preferred: Mapping[str, str],
        *,
        whole: bool = False,
    ) -> ASGIApp:
        """Make a job of an execute request; wait for its end as long as the client prefers.

        Args:
            whole: wait however long it takes, as for what is no job.
        """
        content = await request.body()
        base = base_url(request, self.public_url)
        job = await self._asked(self._submitted, offer, content, request, preferred)
        if whole:
            job = await self._end_of(job, owner_of(request), math.inf)
            return await self._result(job, request, base)
        waiting = wait_s(preferred)
        applied = ["respond-async"] if "respond-async" in preferred else []
        if waiting is not None:
            waiting = min(waiting, self.max_wait_s)
            job = await self._end_of(job, owner_of(request), waiting)
            if not job.is_open:
                return await self._result(job, request, base, f"wait={waiting}")
            applied.append(f"wait={waiting}")
        headers = {"Location": job_status.address_of(job, base)}
        if applied:
            headers["Preference-Applied"] = ", ".join(applied)
        return json_response(job_status.status_info(job, base), 201, headers)

    def _submitted(
        self, offer: Offer, content: bytes, request: Request, preferred: Mapping[str, str]
    ) -> Any:
        accept = request.headers.get("accept")
        wanted = self._read(content, offer, accept)
        base = base_url(request, self.public_url)
        context = Context(request_id_of(request), base_url=base, owner=owner_of(request))
        delivery = wanted.delivery.preferring(return_(preferred), offer.transmission)
        kept = execute.to_store(offer, wanted, delivery, context)
        return self.jobs.submit(offer.id, context.owner, *kept)

    def _read(self, content: bytes, offer: Offer, accept: str | None) -> ExecuteRequest:
        """Return the request; Accept chooses among an output's media types, but refuses none.

        The answer may well be the job, and what comes of it is fetched by another request.
        """
        parsed = body.parse(content)
        try:
            return requests.read(parsed, offer, accept, self.fetch, self.subscribing)
        except NotAcceptable:
            return requests.read(parsed, offer, None, self.fetch, self.subscribing)

    async def _asked(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return what `work` returns, in a thread of those that may wait for the record."""
        return await to_thread.run_sync(work, *arguments, limiter=self.threads)

    async def _end_of(self, job: Any, owner: str, seconds: float) -> Any:
        """Return the job once it has ended, or after some seconds as it is then."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        until = time.monotonic() + seconds
        with self.jobs.watching(job.id, lambda: loop.call_soon_threadsafe(ended.set)):
            while True:
                ended.clear()
                found = await self._asked(self.jobs.get, job.id, owner)
                left = until - time.monotonic()
                if found is None or not found.is_open or left <= 0:
                    return found or job
                try:
                    await asyncio.wait_for(ended.wait(), min(left, LOOK_S))
                except TimeoutError:
                    continue

    async def _result(
        self, job: Any, request: Request, base: str, applied: str | None = None
    ) -> Response:
        accept = request.headers.get("accept")
        response = await self._asked(job_results.answer, self.jobs, job, accept, base)
        response.headers.append("Link", f"<{job_status.address_of(job, base)}>; rel=monitor")
        also = response.headers.get("Preference-Applied")
        if applied or also:
            response.headers["Preference-Applied"] = ", ".join(filter(None, (applied, also)))
        return await run_in_threadpool(as_page, request, response, accept)

    async def listed(self, request: Request) -> ASGIApp:
        """Answer with a list of jobs."""
        html = page_is_wanted(request)
        query = queries.job_query(request.query_params, owner_of(request))
        found = await self._asked(self.jobs.find, query.with_one_more())
        base = base_url(request, self.public_url)
        listed = job_status.job_list(found, request.query_params, base)
        return job_pages.list_page(request, listed) if html else json_response(listed)

    async def shown(self, request: Request) -> ASGIApp:
        """Answer with one job."""
        html = page_is_wanted(request)
        job = await self._asked(self._job, request)
        return await self._info(job, request, html=html)

    async def dismissed(self, request: Request) -> ASGIApp:
        """Dismiss a job, and show it as it is then."""
        html = page_is_wanted(request)
        job = await self._asked(self._dismiss, request)
        return await self._info(job, request, html=html)

    async def results(self, request: Request) -> ASGIApp:
        """Answer with the results of a job."""
        text = request.query_params.get("outputs")
        wanted = None if text is None else [name.strip() for name in text.split(",") if name]
        base = base_url(request, self.public_url)

        def answer() -> Response:
            job, accept = self._job(request), _accepted(request)
            return job_results.answer(self.jobs, job, accept, base, wanted)

        response = await self._asked(answer)
        del response.headers["Preference-Applied"]  # this request preferred nothing
        return await self._page(request, response, "Results")

    async def result(self, request: Request) -> ASGIApp:
        """Answer with one output of a job."""
        name = request.path_params["output_id"]

        def answer() -> Response:
            job, accept = self._job(request), _accepted(request)
            return job_results.one_output(self.jobs, job, name, accept, request)

        response = await self._asked(answer)
        return await self._page(request, response, name)

    async def _page(self, request: Request, response: Response, title: str) -> Response:
        """Return results as a page, if one is wanted."""
        accept, above = _accepted(request), _above(request)
        return await run_in_threadpool(as_page, request, response, accept, *above, title=title)

    async def _info(self, job: Any, request: Request, *, html: bool) -> Response:
        base = base_url(request, self.public_url)
        info = job_status.status_info(job, base)
        if not html:
            return json_response(info)
        outputs = await self._asked(self._outputs, job)
        address = job_status.address_of(job, base)
        return job_pages.job_page(request, info, job.problem, outputs, address)

    def _outputs(self, job: Any) -> Mapping[str, Kept]:
        """Return what came of a job, as far as it is still there."""
        try:
            return self.jobs.outputs(job) if job.status == "successful" else {}
        except NoSuchResult:
            return {}

    def _job(self, request: Request) -> Any:
        job_id = request.path_params["job_id"]
        # Whatever is no id is not looked for: not every database takes every character.
        job = self.jobs.get(job_id, owner_of(request)) if _ID.fullmatch(job_id) else None
        if job is None:
            raise NoSuchJob(f"There is no job {shown(job_id)}, or it was kept for its time.")
        return job

    def _dismiss(self, request: Request) -> Any:
        job_id = request.path_params["job_id"]
        known = _ID.fullmatch(job_id)
        before = self.jobs.dismiss(job_id, owner_of(request)) if known else None
        if before is not None and before.status == "dismissed":
            raise JobDismissed(f"The job {job_id} was dismissed before.")
        return self._job(request)


def _accepted(request: Request) -> str | None:
    """Return what the client takes; the query's `f` outweighs the header."""
    if "f" in request.query_params:
        return HTML if page_is_wanted(request) else JSON
    return request.headers.get("accept")


def _above(request: Request) -> tuple[Place, ...]:
    """Return the places above the results of a job."""
    job_id = request.path_params["job_id"]
    address = f"/jobs/{quote(job_id, safe='')}"
    return HOME, job_pages.JOBS, Place(f"Job {job_id}", address)


def job_routes(handlers: JobHandlers) -> list[Route]:
    """Return the routes of jobs."""
    job = "/jobs/{job_id}"
    return [
        Route("/jobs", Resource(GET=handlers.listed)),
        Route(job, Resource(GET=handlers.shown, DELETE=handlers.dismissed)),
        Route(f"{job}/results", Resource(GET=handlers.results)),
        Route(f"{job}/results/{{output_id}}", Resource(GET=handlers.result)),
    ]
