"""What the answer of `dem-composite` says about its files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from samgis_process import __version__
from samgis_process.formats import Asset, item
from samgis_process.formats.preview import Caption
from samgis_process.processes.dem_composite_request import DemCompositeRequest
from samgis_process.processes.source_choice import origin
from samgis_process.rendering import TERRAIN
from samgis_process.terrain import LAYERS


def item_of(
    item_id: str, request: DemCompositeRequest, assets: Sequence[Asset], now: datetime
) -> dict[str, Any]:
    """Return the STAC item; `now` in UTC."""
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    info, options, grid = request.source.info, request.options, request.grid
    layers = [LAYERS[name] for name in ("elevation", *request.layers)]
    properties = {
        "datetime": stamp,
        "created": stamp,
        "title": caption(request).title,
        "gsd": _metres(grid.ground_resolution),
        "source": info.id,
        "attribution": info.attribution,
        "zoom": grid.zoom,
        "rendering": request.rendering.name,
        "rendering_radius": _radius(request, request.rendering.radius),
        "radius": _radius(request, options.radius),
        "sun": {"azimuth": options.azimuth, "altitude": options.altitude},
        "smooth": options.smooth,
        "z_factor": options.z_factor,
        "ranges": _ranges(request),
        "formulas": {one.name: {"formula": one.formula, "source": one.source} for one in layers},
    }
    return item(item_id, grid, properties, assets)


def member(
    request: DemCompositeRequest, timings_ms: dict[str, float], warnings: Sequence[str]
) -> dict[str, Any]:
    """Return the member `samgis`, without the request's id: where the answer came from."""
    info, grid = request.source.info, request.grid
    return {
        "timings_ms": timings_ms,
        "source": origin(request.source) | {"zoom": grid.zoom, "attribution": info.attribution},
        "window": {
            "bounds": [round(degrees, 7) for degrees in grid.bounds],
            "crs": "OGC:CRS84",
            "width": grid.width,
            "height": grid.height,
            "resolution_m": _metres(grid.ground_resolution),
        },
        "rendering": request.rendering.name,
        "radius": _radius(request, request.options.radius),
        "version": __version__,
        "warnings": list(warnings),
    }


def caption(request: DemCompositeRequest) -> Caption:
    """Return the words beside a preview."""
    info, grid = request.source.info, request.grid
    radius = _radius(request, request.rendering.radius)
    within = f", surroundings of {_length(radius['metres'])}" if request.rendering.halo else ""
    how = f"{TERRAIN[request.rendering.name].title}{within}, zoom {grid.zoom}"
    return Caption(info.title, how, info.attribution)


def _ranges(request: DemCompositeRequest) -> dict[str, dict[str, Any]]:
    """Return what the ends of each colour mean."""
    return {
        one.colour: {"title": one.title, "unit": one.unit, "low": one.low, "high": one.high}
        for one in TERRAIN[request.rendering.name].channels
    }


def _radius(request: DemCompositeRequest, cells: int) -> dict[str, float]:
    return {"cells": cells, "metres": _metres(cells * request.grid.ground_resolution)}


def _metres(value: float) -> float:
    return round(value, 4)


def _length(metres: float) -> str:
    return f"{metres / 1000:.3g} km" if metres >= 1000 else f"{metres:.3g} m"
