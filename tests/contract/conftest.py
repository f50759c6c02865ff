"""A real server on 127.0.0.1 with processes made for testing."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lab
import pytest

from samgis_process.server import connections
from samgis_process.server.app import create_app


def pytest_configure(config: pytest.Config) -> None:
    # pygeoapi's models use what pydantic will drop one day; that is not ours to mend.
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:pygeoapi")


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application; yields its address."""
    server = connections.server(app, 512, getattr(app.state, "stopping", None))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:  # a test that fails must not leave it running
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def serve():
    """Serve an application of one's own: a context manager that gives its address."""
    return serving


@pytest.fixture(scope="session")
def config_path() -> Path:
    return Path(__file__).parents[2] / "pygeoapi-config.yml"


@pytest.fixture(scope="session")
def make_server(config_path):
    """Serve the lab with other settings than the shared server has."""

    def make(path: Path = config_path, **changes: Any):
        return serving(create_app(path, lab.services(**changes)))

    return make


@pytest.fixture(scope="session")
def server(make_server) -> Iterator[str]:
    with make_server() as address:
        yield address


@pytest.fixture(scope="session")
def make_job_server(config_path):
    """Serve the lab with jobs; further arguments go to the room of jobs."""

    @contextmanager
    def make(
        directory: Path,
        room: Any = None,
        public_url: str | None = None,
        access: Any = None,
        **limits: Any,
    ):
        changes = {"public_url": public_url} | ({"access": access} if access else {})
        services = lab.services(processes=lab.processes(jobs=True), **changes)
        app = create_app(config_path, services, room or lab.job_room(directory, **limits))
        with serving(app) as address:
            yield address

    return make


@pytest.fixture(scope="module")
def job_server(make_job_server, tmp_path_factory) -> Iterator[str]:
    with make_job_server(tmp_path_factory.mktemp("jobs"), workers=2) as address:
        yield address
