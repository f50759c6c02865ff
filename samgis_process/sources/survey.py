"""What is learned of a GDAL dataset once: where it lies, how fine it is, what its bands are."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio import warp
from rasterio.enums import ColorInterp
from rasterio.transform import array_bounds

from samgis_process.grid.mercator import MAX_LAT, WORLD_WIDTH, Bounds, world_pixels
from samgis_process.rendering import Bands, Span
from samgis_process.settings import ConfigurationError

MERCATOR = "EPSG:3857"
COLOURS = ("red", "green", "blue")
# Descriptions of bands that mean one colour in every product; B4 is red here, infrared there.
_NAMES = {
    "red": re.compile(r"red|b04", re.IGNORECASE),
    "green": re.compile(r"green|b03", re.IGNORECASE),
    "blue": re.compile(r"blue|b02", re.IGNORECASE),
    "nir": re.compile(r"nir|nir08|near[ _-]?infra[ _-]?red|b08", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What was learned.

    Attributes:
        files: those on this machine that the dataset is made of.
        masked: whether the dataset has a nodata value or an alpha band.
        resolution: EPSG:3857 metres per pixel, in the middle.
        factors: of the overviews, the finest first.
        colours: uint8 (entries, 4), RGBA of a palette's entries; the bands are then these four.
    """

    files: tuple[Path, ...]
    shape: tuple[int, int]
    masked: bool
    resolution: float
    factors: tuple[int, ...]
    bands: Bands
    bounds: Bounds
    crs: str | None
    colours: NDArray[np.uint8] | None = None


def survey(dataset: Any, source_id: str, roles: Mapping[str, int]) -> Survey:
    """Look at an open dataset.

    Args:
        roles: the bands that the operator calls red, green, blue or nir.

    Raises:
        ConfigurationError: it cannot be drawn on a map.
    """
    _require_place(dataset, source_id)
    _require_numbers(dataset, source_id)
    colours = _palette(dataset)
    epsg = dataset.crs.to_epsg()
    return Survey(
        files=tuple(path for path in map(Path, dataset.files) if path.is_file()),
        shape=dataset.shape,
        masked=dataset.nodata is not None or ColorInterp.alpha in dataset.colorinterp,
        resolution=_resolution(dataset),
        factors=tuple(dataset.overviews(1)),
        bands=_bands(dataset, source_id, roles) if colours is None else Bands(surveyed=True),
        bounds=_bounds(dataset),
        crs=None if epsg is None else f"EPSG:{epsg}",
        colours=colours,
    )


def _require_place(dataset: Any, source_id: str) -> None:
    if dataset.crs is None or dataset.transform.is_identity:
        raise ConfigurationError(
            f"source {source_id} has no coordinate reference system with a transform; warp it "
            "first, for instance with gdalwarp -t_srs EPSG:3857"
        )
    try:
        Transformer.from_crs(dataset.crs.to_wkt(), MERCATOR)
    except ProjError as error:
        raise ConfigurationError(
            f"source {source_id} has no place in Web Mercator; is it on Earth?"
        ) from error


def _require_numbers(dataset: Any, source_id: str) -> None:
    if dataset.count == 0:
        raise ConfigurationError(
            f"source {source_id} has no bands of its own; name one of its subdatasets"
        )
    if any("complex" in name or name == "cint16" for name in dataset.dtypes):
        raise ConfigurationError(
            f"source {source_id} holds complex numbers; make a raster of their amplitudes first"
        )


def _resolution(dataset: Any) -> float:
    """Return EPSG:3857 metres per pixel in the middle, the finer of both directions.

    Of a small step, not of the whole extent: that would be the world where the source crosses
    the antimeridian.
    """
    col, row = dataset.width / 2, dataset.height / 2
    steps = ((col, row), (col + 1, row), (col, row + 1))
    corners = [dataset.transform @ step for step in steps]
    lngs, lats = warp.transform(dataset.crs, "OGC:CRS84", *zip(*corners, strict=True))
    cols, rows = world_pixels(np.array(lngs), np.array(lats), 1)
    across = (cols[1:] - cols[0] + 0.5) % 1 - 0.5
    return float(np.hypot(across, rows[1:] - rows[0]).min() * WORLD_WIDTH)


def _bounds(dataset: Any) -> Bounds:
    """Return degrees. Of all four corners: the transform may be rotated, or count from below."""
    edges = array_bounds(dataset.height, dataset.width, dataset.transform)
    xs, ys = sorted(edges[::2]), sorted(edges[1::2])
    box = (xs[0], ys[0], xs[1], ys[1])
    west, south, east, north = warp.transform_bounds(dataset.crs, "OGC:CRS84", *box)
    if not all(math.isfinite(edge) for edge in (west, south, east, north)):
        west, south, east, north = -180.0, -MAX_LAT, 180.0, MAX_LAT
    return Bounds(west, max(south, -MAX_LAT), east, min(north, MAX_LAT))


def _palette(dataset: Any) -> NDArray[np.uint8] | None:
    if dataset.colorinterp[0] is not ColorInterp.palette or dataset.count != 1:
        return None
    entries = dataset.colormap(1)
    table = np.zeros((max(entries) + 1, 4), np.uint8)
    for value, rgba in entries.items():
        table[value] = rgba
    return table


def _bands(dataset: Any, source_id: str, roles: Mapping[str, int]) -> Bands:
    for name, number in roles.items():
        if not 1 <= number <= dataset.count:
            raise ConfigurationError(
                f"samgis.sources.{source_id}.band_roles.{name} is {number}, but the source has "
                f"{dataset.count} bands"
            )
    known = {**_described(dataset), **roles}
    plain = [i for i, kind in enumerate(dataset.colorinterp, 1) if kind is not ColorInterp.alpha]
    if all(name in known for name in COLOURS):
        natural = tuple(known[name] for name in COLOURS)
    else:
        natural = tuple(plain[:3]) if len(plain) >= 3 else tuple(plain[:1]) or (1,)
    # The fourth band of most imagery (NAIP, PlanetScope, SPOT) is infrared, unless it is alpha.
    nir = known.get("nir") or (4 if 4 in plain else None)
    spans = tuple(_span(dataset, index) for index in dataset.indexes)
    return Bands(spans, natural, nir, surveyed=True)


def _described(dataset: Any) -> dict[str, int]:
    """Return which bands the file itself calls red, green, blue and near infrared."""
    found: dict[str, int] = {}
    # Descriptions first: what writes a TIFF often calls its first three bands red, green, blue.
    for index, text in enumerate(dataset.descriptions, 1):
        for name, pattern in _NAMES.items():
            if text and pattern.fullmatch(text.strip()):
                found.setdefault(name, index)
    for index, kind in enumerate(dataset.colorinterp, 1):
        if kind.name in _NAMES and index not in found.values():
            found.setdefault(kind.name, index)
    return found


def _span(dataset: Any, index: int) -> Span | None:
    """Return the range of a band whose dtype says it: bytes, and fewer bits than that."""
    if dataset.dtypes[index - 1] != "uint8":
        return None
    bits = int(dataset.tags(index, ns="IMAGE_STRUCTURE").get("NBITS", 8))
    return Span(0.0, float(2 ** min(bits, 8) - 1))
