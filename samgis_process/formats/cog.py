"""Arrays as Cloud Optimized GeoTIFFs: tiled, with overviews, statistics and what is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.io import MemoryFile

from samgis_process.formats.facts import BandFacts, Statistics
from samgis_process.grid import GeoBox

COG = "image/tiff; application=geotiff; profile=cloud-optimized"
BLOCK = 512  # px; overviews are made until one block holds all
RGB = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)


def cog(
    pixels: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32],
    facts: Sequence[BandFacts],
    grid: GeoBox,
    valid: NDArray[np.bool_] | None = None,
    *,
    directions: bool = False,
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """Return the bytes of a file of `pixels`, (bands, rows, cols), in EPSG:3857.

    Args:
        pixels: float32 is unknown where it is NaN; three bands of uint8 are a picture; uint16
            are numbers of things, 0 for none.
        valid: (rows, cols); becomes the internal mask. None: there is none.
        directions: values that jump from 360 to 0, whose mean says nothing.
        tags: what else the file shall say, by name.
    """
    with MemoryFile(ext=".tif") as memory:
        with memory.open(**_profile(pixels, grid, directions=directions)) as dataset:
            dataset.write(pixels)
            dataset.update_tags(**(tags or {}))
            if len(pixels) == len(RGB):
                dataset.colorinterp = RGB
            if valid is not None:
                dataset.write_mask(np.where(valid, np.uint8(255), np.uint8(0)))
            for number, band in enumerate(facts, start=1):
                _describe(dataset, number, band)
        return bytes(memory.read())


def _profile(pixels: NDArray[Any], grid: GeoBox, *, directions: bool) -> dict[str, Any]:
    count, height, width = pixels.shape
    labels = pixels.dtype == np.uint16
    return {
        "driver": "COG",
        "dtype": pixels.dtype.name,
        "count": count,
        "height": height,
        "width": width,
        "crs": CRS.from_epsg(3857),
        "transform": grid.transform,
        "nodata": np.nan if pixels.dtype.kind == "f" else 0 if labels else None,
        "compress": "deflate",
        "level": 1,  # of layers some 2 % larger than at 6, in less than half the time
        "predictor": "yes",  # differences of neighbours, of floats byte by byte
        "blocksize": BLOCK,
        "overview_resampling": "nearest" if directions or labels else "average",
        "statistics": "auto",  # those that we write, not GDAL's own
        "bigtiff": "if_safer",
    }


def _describe(dataset: Any, number: int, band: BandFacts) -> None:
    dataset.set_band_description(number, f"{band.name}: {band.description}")
    dataset.set_band_unit(number, band.unit)
    dataset.update_tags(number, **_tags(band.statistics))


def _tags(statistics: Statistics) -> dict[str, str]:
    """Return the statistics under GDAL's names; without a minimum it takes none of them."""
    found = statistics.as_object()
    if statistics.minimum is None:
        return {}
    return {f"STATISTICS_{name.upper()}": repr(value) for name, value in found.items()}
