"""A report of a run: the request that led to the answer, to be posted again as it is."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import rasterio
import shapely

from samgis_process import __version__
from samgis_process.processes.segment_request import BOX_MARGIN, SegmentRequest
from samgis_process.processes.source_choice import origin
from samgis_process.rendering import echo
from samgis_process.sources import Source
from samgis_process.sources.inline import ImageSource

_SAMGIS = ("id", "debug", "source_type")  # inputs that mean nothing, or the same as another
_USUAL: dict[str, Any] = {
    "window": "exact",
    "separate": False,
    "masks": "best",
    "detail": "auto",
    "contour": "smooth",
    "box_margin": BOX_MARGIN,
    "orthogonalize": False,
    "min_area": 0,
    "fill_holes": 0,
    "largest_only": False,
    "min_score": 0,
}
_PACKAGES = ("numpy", "onnxruntime", "rasterio", "shapely")


def report(
    request: SegmentRequest,
    inputs: Mapping[str, Any],
    collection: Mapping[str, Any],
    media_type: str,
) -> dict[str, Any]:
    """Return an execute request in which nothing is left to defaults, and what it ran with.

    Args:
        inputs: as they came.
        media_type: of the answer when it is posted again.
    """
    samgis = collection["samgis"]
    return {
        "inputs": _explicit(request, inputs),
        "outputs": {"features": {"format": {"mediaType": media_type}}},
        "samgis": samgis
        | {
            "process": "segment",
            "features": len(collection["features"]),
            "source": samgis["source"] | {"version_digest": _digest(request.source)},
            "software": _software(),
        },
    }


def _explicit(request: SegmentRequest, inputs: Mapping[str, Any]) -> dict[str, Any]:
    info = request.source.info
    given = {name: value for name, value in inputs.items() if name not in _SAMGIS}
    return {
        **_USUAL,
        **given,
        **_picture(request.source),
        "zoom": request.grid.zoom,
        "model": request.model.id,
        "rendering": echo(request.rendering, info.bands, info.id),
    }


def _picture(source: Source) -> dict[str, Any]:
    """Return the input that names the picture: one of the request, by its digest."""
    named = origin(source)
    if isinstance(source, ImageSource):
        return {"image": {name: named[name] for name in ("digest", "bounds")}}
    return {"source": named["id"]}


def _digest(source: Source) -> str:
    """Return what changes whenever the source's pixels may have changed."""
    # What a version is made of, such as an address, is the operator's own.
    return f"sha256:{hashlib.sha256(source.info.version.encode()).hexdigest()}"


def _software() -> dict[str, str]:
    packages = {name: version(name) for name in _PACKAGES}
    return {
        "samgis-process": __version__,
        "python": platform.python_version(),
        **packages,
        "gdal": rasterio.__gdal_version__,
        "geos": shapely.geos_version_string,
    }
