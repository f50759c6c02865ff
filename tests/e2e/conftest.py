import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
import yaml

ROOT = Path(__file__).parent.parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`samgis-process serve` in a process of its own."""

    def __init__(self, config, cache, **environ):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.cache = cache
        self.config = config
        self.environ = {
            **os.environ,
            "SAMGIS_CACHE_DIR": str(cache),
            "SAMGIS_DATA_DIR": str(cache / "data"),
            "PYGEOAPI_CONFIG": str(config),
            "PORT": str(self.port),
            **environ,
        }
        self.log = cache / "serve.log"
        self.process = None

    def start(self, seconds=180):
        self.cache.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "samgis_process", "serve"],
                env=self.environ,
                stderr=log,
                stdout=log,
            )
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/health", timeout=2).ok:
                    return self
            except requests.ConnectionError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError(self.log.read_text())

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    def segment(self, inputs, **options):
        options = {"json": {"inputs": inputs}, **options}
        return requests.post(f"{self.url}/processes/segment/execution", timeout=60, **options)


@pytest.fixture(scope="session")
def tiles(data_directory, script):
    """A tile server of real map tiles, if they are there, with a log."""
    with script("tile_server").TileServer(data_directory / "tiles") as server:
        yield server


@pytest.fixture(scope="session")
def ground(script):
    """A tile server of elevation: one hill on rolling land."""
    with script("drawn_ground").serve() as server:
        yield server


@pytest.fixture(scope="session")
def config(tmp_path_factory, tiles, ground, data_directory, model_dir):
    """The committed configuration, with real tiles and rasters as sources where they are."""
    document = yaml.safe_load((ROOT / "pygeoapi-config.yml").read_text())
    section = document["samgis"]
    section["models"]["directory"] = str(model_dir.parent)
    section["sources"]["OpenStreetMap.Mapnik"] = {
        "type": "xyz",
        "url": f"{tiles.url}/osm/{{z}}/{{x}}/{{y}}.png",
        "attribution": "(c) OpenStreetMap contributors",
        "aliases": ["OpenStreetMap"],
    }
    section["sources"]["terrarium"]["url"] = f"{ground.url}/{{z}}/{{x}}/{{y}}.png"
    raster = data_directory / "georaster" / "zurich_ortho_2056_50cm.tif"
    if raster.is_file():
        section["sources"]["zurich"] = {"type": "raster", "path": str(raster)}
    mountain = data_directory / "dem" / "sainte_helens_int16.tif"
    if mountain.is_file():
        section["sources"]["helens"] = {
            "type": "raster", "path": str(mountain), "elevation": True,
        }  # fmt: skip
    section["sources"]["dead"] = {
        "type": "xyz",
        "url": f"http://127.0.0.1:{free_port()}/{{z}}/{{x}}/{{y}}.png?key=s3cret",
        "retries": 0,
    }
    path = tmp_path_factory.mktemp("config") / "pygeoapi-config.yml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture(scope="session")
def server(config, tmp_path_factory):
    """The running server, with the real model and an empty cache."""
    running = Server(config, tmp_path_factory.mktemp("cache")).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def suite_server(config, server, tmp_path_factory):
    """A server with the process `echo` and jobs of its own."""
    environ = {
        "SAMGIS_SERVER__ECHO_S": "0.2",
        "SAMGIS_DATA_DIR": str(tmp_path_factory.mktemp("data")),
    }
    running = Server(config, server.cache, **environ).start()
    yield running
    running.stop()


@pytest.fixture
def another_server(config):
    """Start one more server on a cache directory of choice."""
    started = []

    def start(cache, **environ):
        started.append(Server(config, cache, **environ).start())
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def chromium(script, unavailable):
    """Chromium, running.

    Not for the session: while playwright runs, nobody else can run an event loop in this thread.
    """
    tools = script("chromium")
    if tools.program() is None:
        unavailable("no Chromium: it takes `make system-packages`")
    with tools.browser() as running:
        yield running


@pytest.fixture
def visit(chromium, script):
    """Open a page of a server in a fresh browser profile; afterwards nothing may have gone wrong.

    `visit(address, dark=..., phone=..., **options of a browser context)` returns the page; what it
    did is in `page.watch`.
    """
    tools, contexts, watches = script("chromium"), [], []

    def open_(address, *, dark=False, phone=False, **options):
        size = tools.PHONE if phone else tools.DESKTOP
        context = chromium.new_context(
            viewport=size,
            has_touch=phone,
            is_mobile=phone,
            color_scheme="dark" if dark else "light",
            **options,
        )
        contexts.append(context)
        watches.append(tools.Watch(context))
        page = context.new_page()
        page.watch = watches[-1]
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()
    faults = [fault for watch in watches for fault in watch.faults]
    assert not faults, "\n".join(faults)
