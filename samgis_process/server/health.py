"""`/health`: what a monitor wants to know, whatever else is slow or away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from samgis_process import __version__
from samgis_process.jobs import JobRoom
from samgis_process.ogc.resource import Handler, json_response


def health_of(asked: Callable[[], dict[str, Any]], jobs: JobRoom | None) -> Handler:
    """Return the handler: 200 as long as this process serves, and what is degraded inside.

    Whoever restarts servers that are not well shall not do so for a tile server that is down.
    """
    # A thread of its own: those of requests may all wait for what hangs.
    thread = ThreadPoolExecutor(1, thread_name_prefix="health")

    async def health(request: Request) -> Response:
        told = await asyncio.get_running_loop().run_in_executor(thread, asked)
        found = {"status": "ok", "version": __version__, **told}
        if jobs:
            found["jobs"] = jobs.health()
            if found["jobs"]["status"] != "ok" and found["status"] == "ok":
                found["status"] = "degraded"
        stops = request.app.state.stopping.has_begun
        if stops:
            found["status"] = "stopping"
        headers = {"Cache-Control": "no-store"}
        return json_response(found, 503 if stops else 200, headers)

    return health
