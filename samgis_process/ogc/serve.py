"""A whole application from a list of processes, for who has no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from samgis_process.errors import SamgisError
from samgis_process.ogc import openapi, problems
from samgis_process.ogc.assets import OWN, assets_route
from samgis_process.ogc.descriptions import link
from samgis_process.ogc.job_routes import JobHandlers
from samgis_process.ogc.middleware import Problems, RequestIds
from samgis_process.ogc.names import OPENAPI_JSON, RELATION, conformance_classes
from samgis_process.ogc.negotiation import HTML, JSON
from samgis_process.ogc.pages import Site
from samgis_process.ogc.pool import WorkPool
from samgis_process.ogc.process import Process
from samgis_process.ogc.resource import Handler, Resource, base_url, json_response, page_is_wanted
from samgis_process.ogc.routes import process_routes
from samgis_process.ogc.service_pages import PageOf, service_pages


def application(
    processes: Iterable[Process],
    *,
    title: str,
    version: str = "1.0.0",
    workers: int = 4,
    jobs: JobHandlers | None = None,
) -> Starlette:
    """Return an application that serves the processes and nothing else.

    Args:
        processes: what can be run.
        title: the server's name for people.
        version: of what is served, for the OpenAPI document.
        workers: requests worked on at the same time; eight times as many may wait.
        jobs: makes jobs of what is not to be waited for; started and closed by the caller.
    """
    processes = list(processes)
    pool = WorkPool(workers, 8 * workers)
    info = {"title": title, "version": version}
    document = openapi.document(processes, info, jobs=jobs is not None)
    classes = {"conformsTo": conformance_classes(jobs=jobs is not None)}
    pages = service_pages(processes)
    app = Starlette(
        routes=[
            Route("/", Resource(GET=_landing(title, pages["/"], jobs=jobs is not None))),
            Route("/conformance", Resource(GET=_fixed(classes, pages["/conformance"]))),
            Route("/openapi", Resource(GET=_fixed(document, pages["/openapi"], OPENAPI_JSON))),
            assets_route({"pages": OWN}),
            *process_routes(processes, pool, jobs=jobs),
        ],
        middleware=[Middleware(RequestIds), Middleware(Problems)],
        exception_handlers={SamgisError: _problem, HTTPException: _problem},
        lifespan=_closing(pool),
    )
    app.state.site = Site(title, version, jobs=jobs is not None)
    return app


def _fixed(content: Mapping[str, Any], page_of: PageOf, media_type: str = JSON) -> Handler:
    async def get(request: Request) -> ASGIApp:
        if page_is_wanted(request):
            return await page_of(request, content)
        return json_response(content, headers={"Content-Type": media_type})

    return get


def _landing(title: str, page_of: PageOf, *, jobs: bool) -> Handler:
    async def get(request: Request) -> ASGIApp:
        base = base_url(request, None)
        links = [
            link("self", JSON, f"{base}/?f=json", "This document as JSON"),
            link("alternate", HTML, f"{base}/?f=html", "This document as a page"),
            link("service-desc", OPENAPI_JSON, f"{base}/openapi", "The OpenAPI document"),
            link("conformance", JSON, f"{base}/conformance", "Standards met"),
            link(f"{RELATION}conformance", JSON, f"{base}/conformance", "Standards met"),
            link(f"{RELATION}processes", JSON, f"{base}/processes", "Processes"),
            *([link(f"{RELATION}job-list", JSON, f"{base}/jobs", "Jobs")] if jobs else []),
        ]
        return await _fixed({"title": title, "links": links}, page_of)(request)

    return get


async def _problem(request: Request, error: Exception) -> Response:
    return problems.response(request, error)


def _closing(pool: WorkPool) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(pool.close)

    return lifespan
