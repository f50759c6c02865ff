"""`/metrics`, for whoever runs the server and nobody else."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samgis_process import tally
from samgis_process.errors import StoreUnavailable
from samgis_process.ogc.errors import NotAllowed
from samgis_process.server.hosts import LOOPBACK, without_port
from samgis_process.server.metrics import MEDIA_TYPE, Family, Metrics, Sample, labels, text

PATH = "/metrics"
_OTHERS = (PATH, "/conformance", "/openapi")


class HasCounts(Protocol):
    """Who keeps jobs."""

    def counts(self) -> Mapping[tuple[str, str], int]:
        """Return the number of jobs by process and status."""
        ...


class HasTaken(Protocol):
    """Who runs what is waited for."""

    @property
    def taken(self) -> int:
        """Runs under way or waiting."""
        ...


def named_patterns(routes: Iterable[Route]) -> dict[str, re.Pattern[str]]:
    """Return under which name a path is counted; never under itself, which clients choose."""
    fixed = {path: re.compile(f"{re.escape(path)}$") for path in ("/", *_OTHERS)}
    return {route.path: route.path_regex for route in routes} | fixed


def show_metrics(
    metrics: Metrics, pool: HasTaken, jobs: HasCounts | None, *, may_be_local: bool
) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler.

    Args:
        may_be_local: whether a request of this machine is an operator's: not where a proxy may
            stand on it and bring those of others.
    """

    async def get(request: Request) -> Response:
        if not (_is_operator(request) or (may_be_local and _is_local(request))):
            raise NotAllowed(
                "The metrics are for programs on the server's own machine, where it has no "
                "proxy, and for keys with `operator: true` (samgis.access.keys)."
            )
        kept = await run_in_threadpool(_jobs, jobs)
        families = [*metrics.families(), *_pool(pool), *_tallied(tally.counts()), *kept]
        return Response(text(families), 200, {"Cache-Control": "no-store"}, MEDIA_TYPE)

    return get


def _is_operator(request: Request) -> bool:
    return bool(request.scope.get("state", {}).get("is_operator"))


def _is_local(request: Request) -> bool:
    """Return whether the request is of this machine; a name of outside tells of a proxy."""
    state = request.scope.get("state", {})
    return bool(state.get("is_local")) and without_port(request.headers["host"]) in LOOPBACK


def _pool(pool: HasTaken) -> Iterator[Family]:
    samples = [Sample((), pool.taken)]
    yield Family("sync_executions", "gauge", "Runs that clients wait for.", samples)


def _tallied(counts: tally.Counts) -> Iterator[Family]:
    """Yield what runs have counted, in this process and in its workers."""

    def samples(what: str, name: str, suffix: str = "") -> Iterator[Sample]:
        for (counted, label), number in sorted(counts.items()):
            if counted == what:
                yield Sample(labels(**{name: label}), number, suffix)

    yield Family(
        "embeddings_total", "counter", "Embeddings asked for, by what the cache made of it.",
        samples("embeddings", "cache"),
    )  # fmt: skip
    yield Family(
        "step_duration_seconds", "summary", "Time in steps of runs.",
        [*samples("step_seconds", "step", "_sum"), *samples("step_runs", "step", "_count")],
    )  # fmt: skip


def _jobs(jobs: HasCounts | None) -> list[Family]:
    """Return the numbers of jobs; none while their record cannot be read."""
    try:
        counts = jobs.counts() if jobs else {}
    except StoreUnavailable:
        return []
    by_status = [
        Sample(labels(process=process, status=status), number)
        for (process, status), number in counts.items()
    ]
    waiting = sum(number for (_, status), number in counts.items() if status == "accepted")
    return [
        Family("jobs", "gauge", "Jobs in the record, of all servers on it.", by_status),
        Family("jobs_waiting", "gauge", "Jobs that wait for a worker.", [Sample((), waiting)]),
    ]
