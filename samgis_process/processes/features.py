"""GeoJSON features of what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from samgis_process.grid import GeoBox
from samgis_process.inference.masks import Mask
from samgis_process.prompts import Target
from samgis_process.vector import geodesic_area, to_lnglat

ON_FRAME = 0.5  # pixels from the frame that count as touching it


def feature(
    number: int,
    alternative: int,
    target: Target,
    mask: Mask,
    in_pixels: BaseGeometry,
    grid: GeoBox,
) -> dict[str, Any] | None:
    """Return an object's feature, or None where nothing is left of its outline.

    Args:
        number: of the object in the request.
        alternative: 0 for the answer, then the others in their order.
        in_pixels: its outline in pixels of `grid`.
    """
    geometry = to_lnglat(in_pixels, grid)
    if geometry.is_empty:
        return None
    return {
        "type": "Feature",
        "id": number,
        "geometry": _geometry(geometry),
        "properties": _properties(target, mask)
        | {
            "area_m2": round(geodesic_area(geometry), 2),
            "touches_edge": _touches(in_pixels, grid),
            "alternative": alternative,
        },
    }


def _properties(target: Target, mask: Mask) -> dict[str, Any]:
    # What is said of a point that is not on the object is no property of it.
    own: Mapping[str, Any] = {
        key: value
        for prompt in target.prompts
        if prompt.include
        for key, value in prompt.properties.items()
    }
    ids = [prompt.id for prompt in target.prompts if prompt.id is not None]
    return {
        **own,
        "object": target.id,
        "score": round(mask.score, 4),
        "predicted_iou": round(mask.predicted_iou, 4),
        "stability": round(mask.stability, 4),
        "prompt_ids": ids,
    }


def _touches(geometry: BaseGeometry, grid: GeoBox) -> bool:
    left, top, right, bottom = geometry.bounds
    return bool(
        left < ON_FRAME
        or top < ON_FRAME
        or right > grid.width - ON_FRAME
        or bottom > grid.height - ON_FRAME
    )


def _geometry(geometry: BaseGeometry) -> dict[str, Any]:
    """Return GeoJSON with the 7 decimals it was rounded to, not their binary tails."""
    value: dict[str, Any] = shapely.geometry.mapping(geometry)
    return {"type": value["type"], "coordinates": _rounded(value["coordinates"])}


def _rounded(value: Any) -> Any:
    return round(value, 7) if isinstance(value, float) else [_rounded(item) for item in value]
