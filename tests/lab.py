"""Processes made for testing, for the server and, imported by name, for its workers."""

import os
import re
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from samgis_process.errors import (
    InvalidInput,
    ModelUnavailable,
    NoData,
    SourceTimeout,
    SourceUnavailable,
)
from samgis_process.formats import COG, cog
from samgis_process.grid import GeoBox
from samgis_process.jobs import JobRoom, JobStore, Limits, OutputStore
from samgis_process.ogc.process import Context, Output
from samgis_process.results import ResultStore
from samgis_process.server.job_work import ProcessWork, explain
from samgis_process.server.wiring import build_services
from samgis_process.settings import AccessSettings, LimitSettings, parse

GEOJSON = "application/geo+json"
FAULTS = {
    "bug": ZeroDivisionError("a secret path /srv/models"),
    "input": InvalidInput("count", "7 is odd", limit="even", remedy="Send 8."),
    "no-data": NoData("count", "nothing there"),
    "source": SourceUnavailable("source north did not answer"),
    "timeout": SourceTimeout("source north took more than 5 s"),
    "model": ModelUnavailable("model tiny is missing. Run make models."),
}
TROUBLES = ("die", "die once", "spin", "stuck", "swallow")
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
    "steps": {"schema": {"type": "integer"}, "minOccurs": 0},
    "trouble": {"schema": {"type": "string", "enum": list(TROUBLES)}, "minOccurs": 0},
    "weight": {"schema": {"type": "integer"}, "minOccurs": 0},
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
    control: tuple[str, ...] = ("sync-execute",)

    @property
    def description(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": "1.0",
            "title": f"Lab {self.id}",
            "description": "For tests <only>.",
            "keywords": ["test"],
            "jobControlOptions": list(self.control),
            "outputTransmission": ["value", "reference"],
            "inputs": INPUTS,
            "outputs": self.outputs,
            "example": {"inputs": {"name": "x"}},
        }

    def run(self, inputs: dict[str, Any], context: Context) -> dict[str, Output]:
        context.report(0.5, "half")
        _trouble(inputs, context)
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
                "lab": {
                    "process": self.id,
                    "inputs": inputs,
                    "request_id": context.request_id,
                    "base_url": context.base_url,
                    "weight": "x" * inputs.get("weight", 0),
                },
            },
        )


class RasterLab(Lab):
    """Makes a Cloud Optimized GeoTIFF, and says how large it is."""

    def run(self, inputs: dict[str, Any], context: Context) -> dict[str, Output]:
        context.report(0.5, "drawing")
        pixels = np.random.default_rng(inputs.get("count", 0)).integers(
            0, 256, (3, 1200, 1500), np.uint8
        )
        picture = cog(pixels, [], GeoBox(10, 500, 300, 1500, 1200))
        return {
            "picture": Output(COG, picture),
            "words": Output("text/plain", "Grüße, " + inputs["name"]),
            "count": Output("application/json", len(picture)),
        }


def raster_processes() -> dict[str, Lab]:
    outputs = {
        "picture": {"schema": {"type": "string", "contentMediaType": COG}},
        "words": {"schema": {"type": "string", "contentMediaType": "text/plain"}},
        "count": {"schema": {"type": "integer"}},
    }
    return {"raster": RasterLab("raster", outputs, BOTH)}


def raster_work() -> ProcessWork:
    return ProcessWork(raster_processes())


def many_outputs() -> dict[str, Any]:
    picture = {"type": "string", "contentEncoding": "binary", "contentMediaType": "image/png"}
    return {
        "features": {"schema": {"oneOf": [COLLECTION, picture]}},
        "count": {"schema": {"type": "integer"}},
        "preview": {"schema": picture},
    }


def _trouble(inputs: dict[str, Any], context: Context) -> None:
    """Be what a server must live with."""
    for step in range(inputs.get("steps", 0)):
        context.report(step / inputs["steps"], f"step {step + 1} of {inputs['steps']}")
        time.sleep(0.02)
    match inputs.get("trouble"):
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "die once":
            _die_once(context.request_id)
        case "spin":
            while not context.cancelled():
                time.sleep(0.01)
        case "stuck":  # in C, for centuries, and no other thread of the process runs
            re.match(r"(a+)+$", "a" * 60 + "b")
        case "swallow":
            _never_hear(context)


def _die_once(name: str) -> None:
    mark = Path(tempfile.gettempdir(), f"lab-{name}")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    mark.unlink()


def _never_hear(context: Context) -> None:
    while True:
        try:
            context.report(0.6, "deaf")
            time.sleep(0.01)
        except BaseException:  # noqa: BLE001, S110
            pass


BOTH = ("sync-execute", "async-execute", "dismiss")


def processes(*, jobs: bool = False) -> dict[str, Lab]:
    control = BOTH if jobs else ("sync-execute",)
    labs = [Lab("alpha", control=control), Lab("beta", control=control)]
    labs.append(Lab("many", many_outputs(), control))
    if jobs:
        labs += [Lab("patient", control=("async-execute", "dismiss")), Lab("swift")]
    return {lab.id: lab for lab in labs}


def services(**changes: Any) -> SimpleNamespace:
    values: dict[str, Any] = {
        "processes": processes(),
        "limits": LimitSettings(max_body_bytes=200_000, sync_workers=4, sync_queue=32),
        "allowed_hosts": ("maps.example.org",),
        "public_url": None,
        "max_wait_s": 20,
        "access": AccessSettings(),
        "fetch": None,
        "results": ResultStore(Path(tempfile.mkdtemp(prefix="results-")), 3600, 10**9),
        "health": lambda: {"models": {"tiny": "ok"}},
    }
    return SimpleNamespace(**(values | changes))


def work() -> ProcessWork:
    """What workers do; they find it by its name."""
    return ProcessWork(processes(jobs=True))


def real_work(section: dict[str, Any], directory: Path) -> ProcessWork:
    """The server's own processes, as settings describe them."""
    return ProcessWork(build_services(parse(section, directory)).processes)


def broken_work() -> ProcessWork:
    raise ModelUnavailable("model tiny is missing. Run make models.")


def full_work(directory: Path) -> ProcessWork:
    """Work on a disk without room, once the file `full` is in the directory."""
    real = Path.open

    def no_room(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        if "w" in mode and self.is_relative_to(directory) and (directory / "full").exists():
            raise OSError(28, "No space left on device")
        return real(self, mode, *args, **options)

    Path.open = no_room
    return work()


def job_room(
    directory: Path,
    url: str | None = None,
    factory: Any = work,
    listener: Any = None,
    **limits: Any,
) -> JobRoom:
    limits = {"lease_s": 4, "grace_s": 1} | limits
    return JobRoom(
        JobStore(url or directory / "jobs.sqlite"),
        OutputStore(directory / "jobs"),
        factory,
        explain,
        Limits(**limits),
        listener,
    )
