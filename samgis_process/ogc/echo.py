"""A process that gives back what it gets: the standard's test process, for conformance suites.

What it declares suits OGC's own suite, which builds its requests from the description: the first
input is a plain string with an output of the same name, and objects are declared through `allOf`
with `format` first, since the suite sends something of its own wherever it finds `type: object`.

Source: 18-062r2, /req/core/test-process; ets-ogcapi-processes10.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping
from typing import Any

from samgis_process.errors import InvalidInput
from samgis_process.ogc.negotiation import JSON
from samgis_process.ogc.process import Context, Output

GEOJSON, GML = "application/geo+json", "application/gml+xml;version=3.2"
PICTURES = ("image/tiff", "image/jp2")
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
STEP_S = 0.05  # between reports, after which a job may be stopped
MOST_PAUSE_S = 10  # suites ask for 5

_BBOX = {
    "type": "object",
    "required": ["bbox"],
    "properties": {
        "bbox": {
            "type": "array",
            "items": {"type": "number"},
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
        },
        "crs": {"type": "string", "enum": [CRS84, f"{CRS84}h"], "default": CRS84},
    },
}
_GEOMETRY = {
    "type": "object",
    "required": ["type", "coordinates"],
    "properties": {"type": {"type": "string"}, "coordinates": {"type": "array", "items": {}}},
}
_COMPLEX = {
    "type": "object",
    "required": ["property1"],
    "properties": {
        "property1": {"type": "string"},
        "property2": {"type": "string", "format": "uri"},
        "property3": {"type": "number"},
        "property4": {"type": "string", "format": "date-time"},
        "property5": {"type": "boolean"},
    },
    "additionalProperties": False,
}


def _meaning(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"allOf": [{"format": name}, schema]}


_SCHEMAS: dict[str, dict[str, Any]] = {
    "stringInput": {"type": "string"},
    "dateInput": {"type": "string", "format": "date-time"},
    "doubleInput": {"type": "number", "minimum": 0, "maximum": 10},
    "arrayInput": {"type": "array", "minItems": 2, "items": {"type": "integer"}},
    "boundingBoxInput": _meaning("ogc-bbox", _BBOX),
    "complexObjectInput": _meaning("echo-object", _COMPLEX),
    "geometryInput": {
        "oneOf": [
            {"type": "string", "contentMediaType": GML},
            _meaning("geojson-geometry", _GEOMETRY),
        ]
    },
    "imagesInput": {
        "oneOf": [
            {"type": "string", "contentEncoding": "binary", "contentMediaType": media_type}
            for media_type in PICTURES
        ]
    },
}
_SEVERAL = ("geometryInput", "imagesInput")
_PAUSE = {"type": "integer", "minimum": 0, "maximum": MOST_PAUSE_S}


def _inputs() -> dict[str, Any]:
    inputs: dict[str, Any] = {
        name: {"title": name, "schema": schema, "minOccurs": 0}
        for name, schema in _SCHEMAS.items()
    }
    inputs["stringInput"]["minOccurs"] = 1
    for name in _SEVERAL:
        inputs[name]["maxOccurs"] = 5
    pause = {"title": "Seconds until the answer", "schema": _PAUSE, "minOccurs": 0}
    return {**inputs, "pause": pause}


class EchoProcess:
    """Gives back each input under its own name, after `delay_s` seconds or the input `pause`."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s

    @property
    def description(self) -> Mapping[str, Any]:
        """The process description of the standard, without links."""
        outputs = {name: {"title": name, "schema": each} for name, each in _SCHEMAS.items()}
        return {
            "id": "echo",
            "version": "1.0.0",
            "title": "Echo",
            "description": "Gives back each input under its own name; for conformance tests.",
            "keywords": ["echo", "conformance"],
            "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
            "outputTransmission": ["value", "reference"],
            "inputs": _inputs(),
            "outputs": outputs,
            "example": {"inputs": {"stringInput": "teststring"}},
        }

    def run(self, inputs: dict[str, Any], context: Context) -> Mapping[str, Output]:
        """Return an output for each input that was given."""
        found = {
            name: _output(name, value, context.outputs.get(name, PICTURES[0]))
            for name, value in inputs.items()
            if name != "pause"
        }
        _wait(inputs.get("pause", self._delay_s), context)
        return found


def _wait(seconds: float, context: Context) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not context.cancelled():
        context.report(1 - left / seconds, f"{left:.1f} s left")
        time.sleep(min(left, STEP_S))


def _output(name: str, value: Any, wanted: str) -> Output:
    """Return a value as it came; one picture as its bytes, the only one of a list alone."""
    if name in _SEVERAL and len(value) != 1:
        return Output(JSON, value)
    one = value[0] if name in _SEVERAL else value
    match name:
        case "imagesInput":
            return Output(wanted, _decoded(one))
        case "geometryInput":
            return Output(GML if isinstance(one, str) else GEOJSON, one)
        case _:
            return Output(JSON, one)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise InvalidInput("imagesInput", "is not base64", remedy="Encode the picture.") from error
