"""Outlines as a raster of numbers: which object does a pixel belong to?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import orjson
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from samgis_process.formats.cog import cog
from samgis_process.formats.facts import BandFacts, statistics_of
from samgis_process.grid import GeoBox

BAND, DESCRIPTION = "object", "Number of the object, from 1; 0 is none"
MOST = 65_535  # numbers that fit in uint16


def labels(
    outlines: Mapping[int, BaseGeometry], names: Mapping[int, object], grid: GeoBox
) -> bytes:
    """Return a COG of uint16: a pixel whose centre lies in an outline has its number.

    Args:
        outlines: polygons in pixels of `grid` by their number, 1 to 65,535; where two overlap, the
            later one wins.
        names: what each number is called; kept in the file's tag OBJECTS, as JSON.

    Raises:
        ValueError: a number does not fit.
    """
    if any(not 1 <= number <= MOST for number in outlines):
        raise ValueError(f"a label raster numbers its objects from 1 to {MOST}")
    pixels = np.zeros(grid.shape, np.uint16)
    if outlines:
        rasterize(((shape, number) for number, shape in outlines.items()), out=pixels)
    facts = BandFacts(BAND, DESCRIPTION, "", statistics_of(pixels, pixels > 0))
    tags = {
        "OBJECTS": orjson.dumps({str(number): name for number, name in names.items()}).decode()
    }
    return cog(pixels[None], [facts], grid, tags=tags)
