"""A real server on 127.0.0.1 with processes made for testing."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from samgis_process.errors import (
    InvalidInput,
    ModelUnavailable,
    NoData,
    SourceTimeout,
    SourceUnavailable,
)
from samgis_process.ogc.process import Context, Output
from samgis_process.results import ResultStore
from samgis_process.server.app import create_app


def pytest_configure(config: pytest.Config) -> None:
    # pygeoapi's models use what pydantic will drop one day; that is not ours to mend.
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:pygeoapi")


GEOJSON = "application/geo+json"
FAULTS = {
    "bug": ZeroDivisionError("a secret path /srv/models"),
    "input": InvalidInput("count", "7 is odd", limit="even", remedy="Send 8."),
    "no-data": NoData("count", "nothing there"),
    "source": SourceUnavailable("source north did not answer"),
    "timeout": SourceTimeout("source north took more than 5 s"),
    "model": ModelUnavailable("model tiny is missing. Run make models."),
}
POINT = {
    "type": "object",
    "required": ["type", "data"],
    "properties": {
        "type": {"type": "string", "enum": ["point", "rectangle"]},
        "data": {
            "type": "object",
            "required": ["lat", "lng"],
            "properties": {
                "lat": {"type": "number", "minimum": -90, "maximum": 90},
                "lng": {"type": "number"},
            },
        },
    },
}
INPUTS = {
    "name": {"schema": {"type": "string", "maxLength": 1000}},
    "count": {"schema": {"type": "integer", "minimum": 0, "maximum": 10}, "minOccurs": 0},
    "margin": {"schema": {"type": "number", "nullable": True}, "minOccurs": 0},
    "prompt": {
        "schema": {
            "oneOf": [
                {"type": "array", "items": POINT, "minItems": 1},
                {
                    "type": "object",
                    "required": ["type", "features"],
                    "properties": {
                        "type": {"type": "string", "enum": ["FeatureCollection"]},
                        "features": {"type": "array"},
                    },
                },
            ]
        },
        "minOccurs": 0,
    },
    "picture": {
        "schema": {
            "oneOf": [
                {"type": "string", "contentEncoding": "base64", "contentMediaType": m}
                for m in ("image/png", "image/jpeg")
            ]
        },
        "minOccurs": 0,
    },
    "tags": {"schema": {"type": "string"}, "minOccurs": 0, "maxOccurs": 3},
    "pause": {"schema": {"type": "number", "minimum": 0}, "minOccurs": 0},
    "fail": {"schema": {"type": "string", "enum": list(FAULTS)}, "minOccurs": 0},
}
COLLECTION = {
    "type": "object",
    "contentMediaType": GEOJSON,
    "required": ["type", "features"],
    "properties": {"type": {"type": "string"}, "features": {"type": "array"}},
}


@dataclass
class Lab:
    """Gives back what it got, after a pause; or fails as told."""

    id: str
    outputs: dict[str, Any] = field(
        default_factory=lambda: {"features": {"title": "Features", "schema": COLLECTION}}
    )

    @property
    def description(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": "1.0",
            "title": f"Lab {self.id}",
            "description": "For tests <only>.",
            "keywords": ["test"],
            "jobControlOptions": ["sync-execute"],
            "outputTransmission": ["value"],
            "inputs": INPUTS,
            "outputs": self.outputs,
            "example": {"inputs": {"name": "x"}},
        }

    def run(self, inputs: dict[str, Any], context: Context) -> dict[str, Output]:
        context.report(0.5, "half")
        time.sleep(inputs.pop("pause", 0))
        if "fail" in inputs:
            raise FAULTS[inputs["fail"]]
        return {name: self._output(name, inputs, context) for name in self.outputs}

    def _output(self, name: str, inputs: dict[str, Any], context: Context) -> Output:
        media_type = context.outputs.get(name, "")
        if media_type == "image/png":
            return Output(media_type, b"\x89PNG")
        if name == "count":
            return Output("application/json", inputs.get("count", 0))
        return Output(
            GEOJSON,
            {
                "type": "FeatureCollection",
                "features": [],
                "lab": {"process": self.id, "inputs": inputs, "request_id": context.request_id},
            },
        )


def many_outputs() -> dict[str, Any]:
    picture = {"type": "string", "contentEncoding": "binary", "contentMediaType": "image/png"}
    return {
        "features": {"schema": {"oneOf": [COLLECTION, picture]}},
        "count": {"schema": {"type": "integer"}},
        "preview": {"schema": picture},
    }


def lab_services(**changes: Any) -> SimpleNamespace:
    labs = [Lab("alpha"), Lab("beta"), Lab("many", many_outputs())]
    values: dict[str, Any] = {
        "processes": {lab.id: lab for lab in labs},
        "limits": SimpleNamespace(max_body_bytes=200_000, sync_workers=4, sync_queue=32),
        "allowed_hosts": ("maps.example.org",),
        "public_url": None,
        "results": ResultStore(Path(tempfile.mkdtemp(prefix="results-")), 3600, 10**9),
        "health": lambda: {"models": {"tiny": "ok"}},
    }
    return SimpleNamespace(**(values | changes))


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def config_path() -> Path:
    return Path(__file__).parents[2] / "pygeoapi-config.yml"


@pytest.fixture(scope="session")
def make_server(config_path):
    """Serve the lab with other settings than the shared server has."""

    def make(path: Path = config_path, **changes: Any):
        return serving(create_app(path, lab_services(**changes)))

    return make


@pytest.fixture(scope="session")
def server(make_server) -> Iterator[str]:
    with make_server() as address:
        yield address
