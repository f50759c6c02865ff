"""Counts and times of requests, in Prometheus' text format.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
All of it happens on the event loop: no locks.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_EXECUTION = re.compile(r"/processes/([^/]+)/execution/?")

Labels = tuple[tuple[str, str], ...]


class Sample(NamedTuple):
    """A number of a family; `suffix` comes after the family's name."""

    labels: Labels
    value: float
    suffix: str = ""


class Family(NamedTuple):
    """Numbers of one name; `kind` is Prometheus' word for what they are."""

    name: str
    kind: str
    help: str
    samples: Iterable[Sample]


class Metrics:
    """What was counted since the start of this process.

    Args:
        routes: patterns of paths, by the name under which those that match are counted.
        processes: ids; executions of others are counted together.
    """

    def __init__(self, routes: Mapping[str, re.Pattern[str]], processes: Iterable[str]) -> None:
        self._routes = dict(routes)
        self._processes = frozenset(processes)
        self._requests: dict[Labels, int] = defaultdict(int)
        self._executions: dict[Labels, int] = defaultdict(int)
        self._times: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = defaultdict(float)
        self.under_way = 0

    def count(self, method: str, path: str, status: int | None, seconds: float) -> None:
        """Count a request; without status, its client went away."""
        route = self._route(path)
        method = method if method in _METHODS else "other"
        text = str(status or "none")
        self._requests[labels(method=method, route=route, status=text)] += 1
        times = self._times.setdefault(route, [0] * (len(BOUNDS_S) + 1))
        times[bisect_left(BOUNDS_S, seconds)] += 1
        self._seconds[route] += seconds
        execution = _EXECUTION.fullmatch(path) if method == "POST" else None
        if execution:
            process = execution[1] if execution[1] in self._processes else "other"
            self._executions[labels(process=process, outcome=_outcome(status))] += 1

    def families(self) -> Iterator[Family]:
        """Yield what was counted."""
        requests = _samples(self._requests)
        yield Family("http_requests_total", "counter", "Requests answered.", requests)
        yield Family(
            "http_request_duration_seconds", "histogram", "Time to the end of the answer.",
            self._histogram(),
        )  # fmt: skip
        now = [Sample((), self.under_way)]
        yield Family("http_requests_under_way", "gauge", "Requests not answered yet.", now)
        yield Family(
            "executions_total", "counter", "Requests to run a process, by what became of them.",
            _samples(self._executions),
        )  # fmt: skip

    def _route(self, path: str) -> str:
        return next((name for name, known in self._routes.items() if known.match(path)), "other")

    def _histogram(self) -> Iterator[Sample]:
        for route, counts in self._times.items():
            total = 0
            for bound, count in zip((*BOUNDS_S, "+Inf"), counts, strict=True):
                total += count
                yield Sample(labels(route=route, le=str(bound)), total, "_bucket")
            yield Sample(labels(route=route), self._seconds[route], "_sum")
            yield Sample(labels(route=route), total, "_count")


class Measured:
    """Counts every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None
        begun = time.perf_counter()

        async def send_watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.under_way += 1
        try:
            await self._app(scope, receive, send_watched)
        finally:
            self._metrics.under_way -= 1
            seconds = time.perf_counter() - begun
            self._metrics.count(scope["method"], scope["path"], status, seconds)


def text(families: Iterable[Family], prefix: str = "samgis_") -> str:
    """Return the families as Prometheus reads them."""
    return "".join(f"{line}\n" for one in families for line in _lines(one, prefix + one.name))


def _lines(family: Family, name: str) -> Iterator[str]:
    yield f"# HELP {name} {family.help}"
    yield f"# TYPE {name} {family.kind}"
    for sample in family.samples:
        yield f"{name}{sample.suffix}{_braced(sample.labels)} {sample.value!r}"


def _braced(pairs: Labels) -> str:
    text = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)
    return f"{{{text}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def labels(**values: str) -> Labels:
    """Return labels, in this order."""
    return tuple(values.items())


def _samples(counted: Mapping[Labels, int]) -> list[Sample]:
    return [Sample(*one) for one in counted.items()]


def _outcome(status: int | None) -> str:
    if status is None:
        return "abandoned"
    if status >= 500:
        return "failed"
    if status >= 400:
        return "refused"
    return "job" if status == 201 else "answered"
