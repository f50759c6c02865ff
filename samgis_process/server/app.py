"""The ASGI application: our routes first, pygeoapi behind them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from samgis_process.errors import SamgisError
from samgis_process.jobs import JobRoom
from samgis_process.map import MapRoom
from samgis_process.map.assets import DIRECTORIES
from samgis_process.ogc import problems
from samgis_process.ogc.assets import OWN, assets_route
from samgis_process.ogc.bodies import Bounded
from samgis_process.ogc.execute import Elsewhere
from samgis_process.ogc.hrefs import Fetch
from samgis_process.ogc.job_routes import JobHandlers
from samgis_process.ogc.middleware import Problems, RequestIds, TrailingSlash
from samgis_process.ogc.pages import Place
from samgis_process.ogc.pool import WorkPool
from samgis_process.ogc.process import Process
from samgis_process.ogc.resource import Resource
from samgis_process.ogc.routes import process_routes
from samgis_process.ogc.service_pages import service_pages
from samgis_process.results import ResultStore
from samgis_process.server import openapi_file
from samgis_process.server.access import Access
from samgis_process.server.access_log import AccessLog
from samgis_process.server.config import read_config
from samgis_process.server.health import health_of
from samgis_process.server.hosts import KnownHosts, OwnPages, allowed_names
from samgis_process.server.metrics import Measured, Metrics
from samgis_process.server.metrics_route import PATH as METRICS_PATH
from samgis_process.server.metrics_route import named_patterns, show_metrics
from samgis_process.server.output_files import keep_in
from samgis_process.server.proxies import Proxies
from samgis_process.server.pygeoapi_mount import PygeoapiMount, empty_parts, load_app
from samgis_process.server.result_files import PATH, result_file
from samgis_process.server.site import site_from
from samgis_process.server.stopping import EndedInTime, Stopping
from samgis_process.settings import AccessSettings, LimitSettings
from samgis_process.turns import places

_EXPOSED = (
    "Accept-Ranges", "Allow", "Content-Disposition", "Content-Language", "Content-Range", "ETag",
    "Link", "Location", "Preference-Applied", "Retry-After", "WWW-Authenticate", "X-Request-Id",
)  # fmt: skip

_MAP = Place("Map", "/processes/segment", "Open the map")
_FILES = re.compile(r"/results/|/jobs/[^/]+/results/|/map/tiles/")


class Services(Protocol):
    """What the application serves."""

    @property
    def processes(self) -> Mapping[str, Process]:
        """Every process on offer, by id."""
        ...

    @property
    def limits(self) -> LimitSettings:
        """What requests may take."""
        ...

    @property
    def results(self) -> ResultStore:
        """Files that answers link to."""
        ...

    @property
    def access(self) -> AccessSettings:
        """Who may use the server, and how much."""
        ...

    @property
    def fetch(self) -> Fetch | None:
        """Gets inputs that come by reference; None: there are none."""
        ...

    @property
    def allowed_hosts(self) -> Sequence[str]:
        """Host headers accepted besides the loopback names and the public URL's."""
        ...

    @property
    def public_url(self) -> str | None:
        """Address of the server in links; by default the one that the client used."""
        ...

    @property
    def max_wait_s(self) -> int:
        """The longest that a client is kept waiting for a job."""
        ...

    def health(self) -> dict[str, Any]:
        """Return what a monitor wants to know, without asking anybody else."""
        ...


def create_app(
    config_path: Path,
    services: Services,
    jobs: JobRoom | None = None,
    map_room: MapRoom | None = None,
) -> Starlette:
    """Return the application for a pygeoapi configuration and what the wiring built.

    Without `jobs`, every process runs while its client waits; without `map_room`, there is no map
    page.
    """
    config = read_config(config_path)
    processes = list(services.processes.values())
    access, callbacks = services.access, bool(jobs and jobs.listener)
    document = openapi_file.document(
        services,
        config,
        access=access,
        jobs=jobs is not None,
        hrefs=services.fetch is not None,
        callbacks=callbacks,
    )
    inner = load_app(config, processes, document, jobs=jobs is not None, callbacks=callbacks)
    empty = empty_parts(config)
    pages = service_pages(processes)
    behind = PygeoapiMount(inner, services.public_url, pages, empty)
    public_url = services.public_url
    elsewhere = Elsewhere(keep_in(services.results), services.fetch)
    handlers = _job_handlers(services, jobs, elsewhere) if jobs else None
    pool = WorkPool(places(services.limits.sync_workers), services.limits.sync_queue)
    routes = [
        Route("/health", Resource(GET=health_of(services.health, jobs))),
        Route(PATH, Resource(GET=result_file(services.results))),
        assets_route({"pages": OWN, **(DIRECTORIES if map_room else {})}),
        *(map_room.routes(_title(config), has_jobs=jobs is not None) if map_room else ()),
        *process_routes(
            processes,
            pool,
            public_url=public_url,
            jobs=handlers,
            elsewhere=elsewhere,
            pages=map_room.pages if map_room else None,
        ),
    ]
    metrics = Metrics(named_patterns(routes), services.processes)
    # With a proxy before it, what comes from this machine may be anybody's.
    alone = not (public_url or access.proxies)
    operation = Resource(GET=show_metrics(metrics, pool, jobs, may_be_local=alone))
    stopping = Stopping(*((jobs.stop,) if jobs else ()))
    app = Starlette(
        routes=[*routes, Route(METRICS_PATH, operation), Mount("/", behind)],
        middleware=_middleware(config, services, metrics, stopping),
        exception_handlers={SamgisError: _problem, HTTPException: _problem},
        lifespan=_open(pool, jobs, map_room),
    )
    highlights = (_MAP,) if map_room else ()
    app.state.stopping = stopping
    app.state.site = site_from(config, services, has_jobs=jobs is not None, highlights=highlights)
    return app


def _title(config: Mapping[str, Any]) -> str:
    """Return the server's title, in its first language."""
    title = config["metadata"]["identification"]["title"]
    return str(next(iter(title.values())) if isinstance(title, Mapping) else title)


def _job_handlers(services: Services, jobs: JobRoom, elsewhere: Elsewhere) -> JobHandlers:
    subscribing = jobs.listener.check if jobs.listener else None
    return JobHandlers(
        jobs, services.public_url, services.max_wait_s, elsewhere.fetch, subscribing
    )


def _middleware(
    config: Mapping[str, Any], services: Services, metrics: Metrics, stopping: Stopping
) -> list[Middleware]:
    """Return what stands around the routes, the outermost first."""
    server, access, limits = config["server"], services.access, services.limits
    cross_origin = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=_EXPOSED,
    )
    return [
        Middleware(RequestIds),
        Middleware(AccessLog),
        Middleware(
            Proxies,
            networks=access.proxies,
            kind=access.forwarded,
            public_url=services.public_url,
        ),
        Middleware(Measured, metrics=metrics),
        *([cross_origin] if server.get("cors") else []),
        Middleware(Problems),
        Middleware(EndedInTime, stopping=stopping),
        Middleware(
            Bounded,
            max_bytes=limits.max_body_bytes,
            max_bytes_together=limits.max_bytes_together,
        ),
        Middleware(KnownHosts, names=allowed_names(services.public_url, services.allowed_hosts)),
        *([] if server.get("cors") else [Middleware(OwnPages, public_url=services.public_url)]),
        Middleware(TrailingSlash, public_url=services.public_url),
        Middleware(Access, settings=access),
        *([Middleware(_Gzip)] if server.get("gzip") else []),
    ]


class _Gzip(GZipMiddleware):
    """Leaves files and tiles alone: they are compressed already, and read in ranges of bytes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        files = bool(_FILES.match(str(scope.get("path", ""))))
        files = files or any(name == b"range" for name, _ in scope.get("headers", ()))
        await (self.app if files else super().__call__)(scope, receive, send)


async def _problem(request: Request, error: Exception) -> Response:
    return problems.response(request, error)


def _open(
    pool: WorkPool, jobs: JobRoom | None, map_room: MapRoom | None
) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if jobs:
            jobs.start()
        yield
        await run_in_threadpool(pool.close)
        if map_room:
            await run_in_threadpool(map_room.close)
        if jobs:
            await run_in_threadpool(jobs.close)

    return lifespan
