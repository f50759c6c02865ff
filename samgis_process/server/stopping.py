"""How requests under way end when the server is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from samgis_process.errors import Interrupted

FINISH_S = 8.0  # for requests under way; most take less, and what they wait for may never come


class Stopping:
    """Tells jobs at once that the server stops, and requests after some seconds.

    Args:
        tell: who else wants to know at once.
    """

    def __init__(self, *tell: Callable[[], object]) -> None:
        self._tell = tell
        self._tasks: set[asyncio.Task[Any]] = set()
        self.has_begun = self._has_ended = False

    def begin(self) -> None:
        """Let requests and jobs come to an end."""
        if not self.has_begun:
            self.has_begun = True
            for tell in self._tell:
                tell()
            asyncio.get_running_loop().call_later(FINISH_S, self._end)

    def _end(self) -> None:
        self._has_ended = True
        for task in list(self._tasks):
            task.cancel()

    async def follow(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as long as there is time.

        Raises:
            Interrupted: there is none any more.
        """
        task = asyncio.current_task()
        if task is None or scope["type"] != "http":
            await app(scope, receive, send)
            return
        self._tasks.add(task)
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._has_ended:
                raise
            task.uncancel()
            raise Interrupted("The server is being stopped. Send the request again.") from None
        finally:
            self._tasks.discard(task)


class EndedInTime:
    """The middleware that follows every request."""

    def __init__(self, app: ASGIApp, stopping: Stopping) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._stopping.follow(self._app, scope, receive, send)
