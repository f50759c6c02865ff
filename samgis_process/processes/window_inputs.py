"""What clients read about the inputs that place a window, whatever the process does with it."""

from __future__ import annotations

from typing import Any

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

DEGREES = {"type": "number", "x-parsed": {"oneOf": [{"type": "number"}, {"type": "string"}]}}
CORNER = {
    "title": "Corner",
    "type": "object",
    "required": ["lat", "lng"],
    "properties": {"lat": DEGREES, "lng": DEGREES},
}
RECTANGLE = {
    "title": "Rectangle",
    "type": "object",
    "required": ["ne", "sw"],
    "properties": {"ne": CORNER, "sw": CORNER},
}
FOUR_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
BBOX = {
    "oneOf": [
        {
            "title": "Bbox",
            "type": "object",
            "format": "ogc-bbox",
            "required": ["bbox"],
            "properties": {
                "bbox": FOUR_NUMBERS,
                "crs": {"type": "string", "default": CRS84},
            },
        },
        FOUR_NUMBERS,
        RECTANGLE,
    ]
}


def once(value: dict[str, Any]) -> dict[str, Any]:
    """Return the description of an input that may be left out, unless it says otherwise."""
    return {"minOccurs": 0, "maxOccurs": 1} | value


def bbox(when: str) -> dict[str, Any]:
    """Return the input `bbox`; `when` says whether it may be left out."""
    return {
        "title": "Map window",
        "description": (
            "West, south, east, north: an OGC bbox with `crs` (OGC:CRS84, EPSG:4326 with "
            "latitude first, EPSG:3857, or the source's own), a list of four numbers, or "
            '{"ne": {"lat", "lng"}, "sw": {...}}. West may lie east of east: the window then '
            f"crosses the antimeridian. {when}"
        ),
        "schema": BBOX,
    }


def ancestor() -> dict[str, dict[str, Any]]:
    """Return the inputs that SamGIS requests carry besides."""
    return {
        "source_type": {
            "title": "Source, as SamGIS calls it",
            "description": "A synonym of `source`.",
            "schema": {"type": "string"},
        },
        "id": {
            "title": "Ignored",
            "description": "Accepted from SamGIS clients and ignored.",
            "schema": {},
        },
        "debug": {
            "title": "Ignored",
            "description": "Accepted from SamGIS clients and ignored.",
            "schema": {},
        },
    }
