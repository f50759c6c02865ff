"""What clients read about `segment`: its inputs, their schemas and defaults, its output."""

from __future__ import annotations

from typing import Any

from samgis_process import __version__
from samgis_process.inference.room import ModelRoom
from samgis_process.processes.segment_answer import GEOJSON, REPORT, offered
from samgis_process.processes.window_inputs import (
    BBOX,
    CORNER,
    RECTANGLE,
    ancestor,
    bbox,
    once,
)
from samgis_process.prompts import MAX_CORNERS, MAX_RINGS
from samgis_process.rendering import TERRAIN
from samgis_process.settings import LimitSettings
from samgis_process.sources import SourceCatalogue

RENDERING = {
    "oneOf": [
        {"type": "string"},
        {
            "title": "BandRendering",
            "type": "object",
            "properties": {
                "bands": {
                    "type": "array",
                    "items": {"oneOf": [{"type": "number"}, {"type": "object"}]},
                    "minItems": 1,
                    "maxItems": 3,
                },
                "stretch": {
                    "oneOf": [
                        {"type": "string", "enum": ["minmax", "none"]},
                        {"type": "array", "items": {}, "minItems": 1, "maxItems": 3},
                    ]
                },
            },
        },
    ]
}
IMAGE = {
    "oneOf": [
        *(
            {"type": "string", "contentEncoding": "base64", "contentMediaType": media_type}
            for media_type in (
                "image/tiff; application=geotiff", "image/tiff", "image/png", "image/jpeg",
                "image/webp",
            )
        ),
        {
            "title": "KnownImage",
            "type": "object",
            "required": ["digest"],
            "properties": {"digest": {"type": "string"}, "bounds": BBOX},
            "additionalProperties": False,
        },
    ]
}  # fmt: skip
SHAPE_INPUTS = {
    "box_margin": {
        "title": "Margin of rectangles",
        "description": "A rectangle's mask is cut to it and this share of it; null: not cut.",
        "schema": {"type": "number", "minimum": 0, "default": 0.02, "nullable": True},
    },
    "contour": {
        "title": "Kind of outline",
        "description": "A smooth contour, or the exact edges of the source's pixels.",
        "schema": {"type": "string", "enum": ["smooth", "pixel"], "default": "smooth"},
    },
    "simplify": {
        "title": "Simplification",
        "description": "Tolerance in metres; by default a quarter of a source pixel.",
        "schema": {"type": "number", "minimum": 0},
    },
    "orthogonalize": {
        "title": "Right angles",
        "description": (
            "Redraw outlines with right angles, for buildings. Neighbours are drawn together, so "
            "that a wall between them is one line; what is not made of walls stays as it is."
        ),
        "schema": {"type": "boolean", "default": False},
    },
    "min_area": {
        "title": "Smallest part",
        "description": "Parts smaller than this are dropped, square metres.",
        "schema": {"type": "number", "minimum": 0, "default": 0},
    },
    "fill_holes": {
        "title": "Largest hole to fill",
        "description": "Holes smaller than this are filled, square metres.",
        "schema": {"type": "number", "minimum": 0, "default": 0},
    },
    "largest_only": {
        "title": "Largest part only",
        "description": "Keep the largest part of each object alone.",
        "schema": {"type": "boolean", "default": False},
    },
    "min_score": {
        "title": "Lowest score",
        "description": "Objects scored below are left out; a warning names them.",
        "schema": {"type": "number", "minimum": 0, "maximum": 1, "default": 0},
    },
}
SAMPLE = "sample"  # as the shipped configuration calls the sample scene
EXAMPLE = {
    "inputs": {
        "bbox": [-29.59652, 41.25536, -29.58304, 41.26479],
        "source": SAMPLE,
        "prompt": [{"type": "point", "data": {"lng": -29.58979, "lat": 41.26234}}],
    }
}
FEATURES = {
    "title": "The objects found",
    "description": (
        "By default a GeoJSON FeatureCollection (RFC 7946), one feature per object, with score, "
        "area and the prompt's own properties; its member `samgis` says where the answer came "
        "from. By media type instead: the same as a table, in which the property `alternative` "
        "tells the answer (0) from the other readings of `masks=all`; a raster of the numbers of "
        "the objects, from 1 in the order of the request, on the grid of the window; a picture of "
        "the window with outlines and prompts; or a report, which is a request that can be posted "
        "again as it is. Raster and picture show the best outline of each object alone."
    ),
}
GEOJSON_SCHEMA = {
    "type": "object",
    "contentMediaType": GEOJSON,
    "required": ["type", "features"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": {"type": "object"}},
        "samgis": {"type": "object"},
    },
}
REPORT_SCHEMA = {
    "type": "object",
    "contentMediaType": REPORT,
    "required": ["inputs", "outputs", "samgis"],
    "properties": {
        "inputs": {"type": "object"},
        "outputs": {"type": "object"},
        "samgis": {"type": "object"},
    },
}


def describe(sources: SourceCatalogue, models: ModelRoom, limits: LimitSettings) -> dict[str, Any]:
    """Return the process description (OGC API - Processes, part 1) without its links."""
    inputs = _where(sources) | _what(limits) | _how(models) | SHAPE_INPUTS | ancestor()
    return {
        "id": "segment",
        "version": __version__,
        "title": "Segment objects on a map",
        "description": (
            "Point at things on a map picture, or draw rectangles around them, and get their "
            "outlines as GeoJSON. Each request stands alone; the second one on the same window "
            "is answered from a cached embedding."
        ),
        "keywords": ["segmentation", "segment anything", "imagery", "GeoJSON"],
        "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["value", "reference"],
        "inputs": {name: once(value) for name, value in inputs.items()},
        "outputs": {"features": FEATURES | {"schema": {"oneOf": [*map(_schema, offered())]}}},
        **({"example": EXAMPLE} if SAMPLE in sources else {}),
    }


def _schema(media_type: str) -> dict[str, Any]:
    if media_type == GEOJSON:
        return GEOJSON_SCHEMA
    if media_type == REPORT:
        return REPORT_SCHEMA
    return {"type": "string", "contentEncoding": "binary", "contentMediaType": media_type}


def _where(sources: SourceCatalogue) -> dict[str, dict[str, Any]]:
    return {
        "bbox": bbox("Required, but for an `image` with its own bounds."),
        "zoom": {
            "title": "Zoom",
            "description": (
                "Tile zoom within the source's range; by default the one whose pixels fill the "
                "model's input best."
            ),
            "schema": {"type": "integer"},
        },
        "source": {
            "title": "Source of the picture",
            "description": f"One of: {', '.join(sources)}.",
            "schema": {"type": "string", "default": sources.default},
        },
        "image": {
            "title": "Picture of the request",
            "description": (
                "A picture instead of a source, in base64: a GeoTIFF, which is seen as a whole "
                "without `bbox`; or a PNG or JPEG, whose bounds are then `bbox`. Or "
                '{"digest": "sha256:..."} for one that was sent before, as `samgis.source` of the '
                "answer gave it, with `bounds` if it has no place of its own."
            ),
            "schema": IMAGE,
        },
        "window": {
            "title": "Encoder's window",
            "description": (
                "`exact`: bbox and nothing else. `snap`: a window of a fixed grid that holds it, "
                "so that a map panned a little meets what was encoded before."
            ),
            "schema": {"type": "string", "enum": ["exact", "snap"], "default": "exact"},
        },
        "rendering": {
            "title": "Rendering",
            "description": (
                "How the source's bands become the picture: `rgb`, `grey`, `false-colour` (near "
                "infrared, red, green), or an object. `bands`: 1 or 3 band numbers from 1, or "
                'normalised differences {"nd": [a, b]}. `stretch`: [2, 98] (percentiles of the '
                'whole source), "minmax", "none", or the values to draw as black and full: '
                "[[low, high], ...]. Of elevation one of: "
                f"{', '.join(TERRAIN)}, grey. By default the source's own."
            ),
            "schema": RENDERING,
        },
    }


def _what(limits: LimitSettings) -> dict[str, dict[str, Any]]:
    return {
        "prompt": {
            "title": "Prompts",
            "description": (
                "Points to include (label 1) or exclude (label 0) and rectangles, in the order in "
                "which they were drawn: a list of {type, data, label}, or a GeoJSON "
                "FeatureCollection of Points (property `label`) and Polygons (a box of their "
                "bounds). Each rectangle is an object; points inside exactly one rectangle join "
                "it; the other include points together are one object; exclude points outside "
                "every rectangle apply to all. `object` on a prompt overrides."
            ),
            "schema": {"oneOf": [_prompt_list(limits), _prompt_collection(limits)]},
            "minOccurs": 1,
        },
        "separate": {
            "title": "Separate points",
            "description": "Each include point outside every rectangle is its own object.",
            "schema": {"type": "boolean", "default": False},
        },
    }


def _how(models: ModelRoom) -> dict[str, dict[str, Any]]:
    return {
        "model": {
            "title": "Model",
            "description": (
                f"One of the installed models; by default {models.default_id}. "
                "The health page lists them."
            ),
            "schema": {"type": "string", "default": models.default_id},
        },
        "masks": {
            "title": "Masks",
            "description": (
                "`best`: one outline an object. `all`: after it the other readings of the same "
                "prompts, ranked by the property `alternative`; a click on a roof may mean the "
                "roof, the house or the block."
            ),
            "schema": {"type": "string", "enum": ["best", "all"], "default": "best"},
        },
        "detail": {
            "title": "Second look",
            "description": (
                "Look again, at the source's own resolution, at objects that are small in a "
                "window wider than the model's input. `auto`: where it pays; `never`; `always`."
            ),
            "schema": {"type": "string", "enum": ["auto", "never", "always"], "default": "auto"},
        },
    }


# What the process itself reads with more patience than generated clients need.
_LOOSE_PROMPT = {
    "type": "object",
    "required": ["type", "data"],
    "properties": {
        "type": {"type": "string", "enum": ["point", "rectangle"]},
        "data": {"type": "object"},
        "label": {"enum": [0, 1, "0", "1"], "nullable": True},
    },
}
LABEL = {"type": "integer", "enum": [0, 1], "default": 1}
_ANY_PROMPT = {"object": {"type": "string"}, "id": {"type": "string"}}


def _kind(name: str) -> dict[str, Any]:
    return {"type": "string", "enum": [name]}


def _prompt(title: str, kind: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "required": ["type", "data"],
        "properties": {"type": _kind(kind), "data": data, **more, **_ANY_PROMPT},
    }


def _prompt_list(limits: LimitSettings) -> dict[str, Any]:
    prompts = [
        _prompt("PointPrompt", "point", CORNER, label=LABEL),
        _prompt("RectanglePrompt", "rectangle", RECTANGLE),
    ]
    items = {"oneOf": prompts, "x-parsed": _LOOSE_PROMPT}
    return {"type": "array", "items": items, "minItems": 1, "maxItems": limits.max_prompts}


def _geometry(kind: str, coordinates: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": kind,
        "type": "object",
        "required": ["type", "coordinates"],
        "properties": {"type": _kind(kind), "coordinates": coordinates},
    }


def _lists(item: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "maxItems": most}


_POSITION = _lists({"type": "number"}, 3)
_PROMPT_FEATURE = {
    "title": "PromptFeature",
    "type": "object",
    "required": ["type", "geometry"],
    "properties": {
        "type": _kind("Feature"),
        "geometry": {
            "oneOf": [
                _geometry("Point", _POSITION),
                _geometry("Polygon", _lists(_lists(_POSITION, MAX_CORNERS), MAX_RINGS)),
            ]
        },
        "properties": {
            "title": "PromptProperties",
            "type": "object",
            "properties": {"label": LABEL, "object": {"type": "string"}},
        },
    },
    "x-parsed": {"type": "object", "required": ["geometry"]},
}


def _prompt_collection(limits: LimitSettings) -> dict[str, Any]:
    features = {
        "type": "array",
        "items": _PROMPT_FEATURE,
        "minItems": 1,
        "maxItems": limits.max_prompts,
    }
    return {
        "title": "PromptCollection",
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": features,
        },
    }
