"""What clients read about `dem-composite`: its inputs, their schemas and defaults, its output."""

from __future__ import annotations

from typing import Any

from samgis_process import __version__
from samgis_process.formats import COG
from samgis_process.processes.dem_composite_request import (
    MOST_RADIUS,
    MOST_SMOOTH,
    MOST_SMOOTH_CELLS,
    MOST_Z,
    RENDERING,
)
from samgis_process.processes.window_inputs import ancestor, bbox, once
from samgis_process.rendering import TERRAIN
from samgis_process.sources import SourceCatalogue
from samgis_process.terrain import LAYERS, Options

USUAL = Options()
GEOJSON, PNG = "application/geo+json", "image/png"
GEOTIFF = {
    "oneOf": [
        *(
            {"type": "string", "contentEncoding": "base64", "contentMediaType": media_type}
            for media_type in ("image/tiff; application=geotiff", "image/tiff")
        ),
        {
            "type": "object",
            "required": ["digest"],
            "properties": {"digest": {"type": "string"}},
            "additionalProperties": False,
        },
    ]
}
SAMPLE = "sample-dem"  # as the shipped configuration calls the elevation of the sample scene
EXAMPLE = {"inputs": {"bbox": [-29.6, 41.25, -29.58, 41.265], "source": SAMPLE}}
FEATURES = {
    "title": "The composite",
    "description": (
        "By default a GeoJSON FeatureCollection whose one feature is a STAC Item: footprint, "
        "statistics, formulas, attribution, and links to the composite, the elevation and each "
        "layer (Cloud Optimized GeoTIFFs) and to a preview with its legend. Or the composite or "
        "the preview itself, by media type."
    ),
    "schema": {
        "oneOf": [
            {
                "type": "object",
                "contentMediaType": GEOJSON,
                "required": ["type", "features"],
                "properties": {
                    "type": {"type": "string", "enum": ["FeatureCollection"]},
                    "features": {
                        "type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 1,
                    },
                    "samgis": {"type": "object"},
                },
            },
            {"type": "string", "contentEncoding": "binary", "contentMediaType": COG},
            {"type": "string", "contentEncoding": "binary", "contentMediaType": PNG},
        ]
    },
}  # fmt: skip


def describe(sources: SourceCatalogue) -> dict[str, Any]:
    """Return the process description (OGC API - Processes, part 1) without its links."""
    inputs = _where(sources) | _what() | _how() | ancestor()
    return {
        "id": "dem-composite",
        "version": __version__,
        "title": "Draw elevation as a composite",
        "description": (
            "A window of elevation, from tiles or rasters, becomes an RGB composite in which "
            "landforms are seen at every scale, and layers of the terrain: slope, aspect, "
            "curvatures, openness, sky view, shadings."
        ),
        "keywords": ["elevation", "DEM", "terrain", "slope", "curvature", "STAC", "COG"],
        "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["value", "reference"],
        "inputs": {name: once(value) for name, value in inputs.items()},
        "outputs": {"features": FEATURES},
        **({"example": EXAMPLE} if SAMPLE in sources.of_elevation else {}),
    }


def _where(sources: SourceCatalogue) -> dict[str, dict[str, Any]]:
    offered = sources.of_elevation
    default = {"default": offered[0]} if offered else {}
    return {
        "bbox": bbox("Required, but for an `image`."),
        "zoom": {
            "title": "Zoom",
            "description": (
                "Tile zoom within the source's range: the size of the grid's cells. By default "
                "the window's longer side has about 1024 of them."
            ),
            "schema": {"type": "integer"},
        },
        "source": {
            "title": "Source of the elevation",
            "description": f"One of: {', '.join(offered)}." if offered else "None is on offer.",
            "schema": {"type": "string", **default},
        },
        "image": {
            "title": "Elevation of the request",
            "description": (
                "A GeoTIFF of one band (float32, int16 or uint16) instead of a source, in base64; "
                'it is seen as a whole without `bbox`. Or {"digest": "sha256:..."} for one that '
                "was sent before, as `samgis.source` of the answer gave it."
            ),
            "schema": GEOTIFF,
        },
    }


def _what() -> dict[str, dict[str, Any]]:
    renderings = "; ".join(f"`{name}`: {style.title}" for name, style in TERRAIN.items())
    layers = "; ".join(f"`{name}`: {one.title}{_unit(one.unit)}" for name, one in LAYERS.items())
    names = {"type": "string", "enum": list(LAYERS)}
    return {
        "rendering": {
            "title": "Rendering",
            "description": f"How elevation becomes three colours. {renderings}.",
            "schema": {"type": "string", "enum": list(TERRAIN), "default": RENDERING},
        },
        "layers": {
            "title": "Layers",
            "description": f"Further files of numbers (float32). {layers}.",
            "schema": {
                "type": "array",
                "items": names,
                "uniqueItems": True,
                "maxItems": len(LAYERS),
                "default": [],
            },
        },
    }


def _unit(unit: str) -> str:
    return f", {unit}" if unit else ""


def _how() -> dict[str, dict[str, Any]]:
    turn = {"type": "number", "minimum": 0, "maximum": 360, "default": USUAL.azimuth}
    above = {"type": "number", "minimum": 0, "maximum": 90, "default": USUAL.altitude}
    cells = {"type": "integer"}  # the bounds are told with the size of a cell
    metres = {
        "type": "object",
        "required": ["metres"],
        "properties": {"metres": {"type": "number", "minimum": 0}},
        "additionalProperties": False,
    }
    return {
        "radius": {
            "title": "Radius",
            "description": (
                'How far the terrain is looked at around a cell, in cells of the grid or {"metres"'
                f": r}}, which is at most {MOST_RADIUS} cells. For `tpi`, `openness`, "
                f"`openness_negative` and `sky_view`, by default {USUAL.radius} cells; and for "
                "the rendering, by default its own."
            ),
            "schema": {"oneOf": [cells, metres]},
        },
        "sun": {
            "title": "Sun",
            "description": "For `hillshade`; degrees clockwise from north, and above the horizon.",
            "schema": {
                "type": "object",
                "properties": {"azimuth": turn, "altitude": above},
                "additionalProperties": False,
            },
        },
        "smooth": {
            "title": "Smoothing",
            "description": (
                "Standard deviation in metres of a Gaussian before the layers are computed, "
                f"at most {MOST_SMOOTH_CELLS} cells. The elevation itself stays as it is."
            ),
            "schema": {"type": "number", "minimum": 0, "maximum": MOST_SMOOTH, "default": 0},
        },
        "z_factor": {
            "title": "Vertical exaggeration",
            "description": "By which heights are multiplied before the layers are computed.",
            "schema": {
                "type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": MOST_Z,
                "default": USUAL.z_factor,
            },
        },
    }  # fmt: skip
