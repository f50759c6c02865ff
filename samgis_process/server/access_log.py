"""One line in the log for each request, without its query: a key may stand there."""

from __future__ import annotations

import logging
import time
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGGER = logging.getLogger("samgis_process.requests")
FACTS = "facts"  # of a record: what its line says, for those who want no line
LONGEST = 200  # characters of a path; more is not ours


class AccessLog:
    """Logs method, path, status, milliseconds, request id and owner; inside `RequestIds`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun = "-", time.perf_counter()  # no status: the client went away

        async def send_watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        finally:
            _write(scope, status, (time.perf_counter() - begun) * 1000)


def _write(scope: Scope, status: str, ms: float) -> None:
    state = scope.get("state", {})
    facts = {
        "method": scope["method"],
        "path": quote(scope["path"])[:LONGEST],  # a line break in it would forge a line
        "status": status,
        "ms": round(ms),
        "request_id": state.get("request_id", "-"),
        "owner": quote(state.get("owner", ""), safe="@:") or "-",
    }
    LOGGER.info(
        "%(method)s %(path)s %(status)s %(ms)s ms %(request_id)s %(owner)s",
        facts,
        extra={FACTS: facts},
    )
