"""`samgis-process serve` with a watchdog: `/lag` says how long the event loop was held, in ms.

As `samgis_process serve` itself: the configuration is that of PYGEOAPI_CONFIG, the port of PORT.
"""

import asyncio
import os
import time
from pathlib import Path

from samgis_process.cli import serving
from samgis_process.server import wiring
from samgis_process.server.app import create_app
from samgis_process.settings import load

TICK_S = 0.005


class Watched:
    """The application, and beside it somebody who wants the event loop every few milliseconds."""

    def __init__(self, app):
        self._app = app
        self._watching = None
        self._worst = 0.0

    async def __call__(self, scope, receive, send):
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        if scope["type"] != "http" or scope["path"] != "/lag":
            await self._app(scope, receive, send)
            return
        body, self._worst = b"%.1f" % (1000 * self._worst), 0.0
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def _watch(self):
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self._worst = max(self._worst, time.perf_counter() - begun - TICK_S)


def main():
    serving.stop_on_signals()
    config = Path(os.environ["PYGEOAPI_CONFIG"])
    settings = load(config)
    services = wiring.build_services(settings, config)
    services.sources.open_all()
    jobs = wiring.job_room(settings, config)
    app = create_app(config, services, jobs, wiring.map_room(services))
    sockets = serving.claim("127.0.0.1", int(os.environ["PORT"]))
    serving.run(Watched(app), sockets, stopping=app.state.stopping)


if __name__ == "__main__":  # workers import this file too
    main()
