"""The scene as files: two GeoTIFFs, made once, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.io import MemoryFile

from samgis_process.grid import GeoBox
from samgis_process.sources.sample.paint import Report, imagery
from samgis_process.sources.sample.relief import STEP, elevation
from samgis_process.sources.sample.shape import SIDE

# Changes whenever a pixel does: a file of another version is never taken for this one.
VERSION = "1"
# Open ocean between the Azores and Newfoundland, so that nobody takes it for a real place. The
# corner is a tile's corner, so that overviews coincide with the tiles of the zooms below.
GRID = GeoBox(zoom=16, col_off=27_379 * 256, row_off=24_503 * 256, width=SIDE, height=SIDE)
BLOCK = 512  # px, of the tiles in the file


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """Where the scene lies.

    Attributes:
        imagery: GeoTIFF, uint8 RGB, EPSG:3857, zoom 16.
        elevation: GeoTIFF, float32 metres, EPSG:3857, half that resolution.
    """

    imagery: Path
    elevation: Path


def make(directory: Path, report: Report | None = None) -> SampleFiles:
    """Write the scene into `directory` unless it is there already.

    Two processes may do so at once: each draws the same pixels, and puts whole files in place.

    Args:
        directory: made if it is missing.
        report: told what is being done and which part of all is done, 0..1.

    Raises:
        OSError: the directory cannot be written.
    """
    found = SampleFiles(
        directory / f"sample-{VERSION}.tif", directory / f"sample-dem-{VERSION}.tif"
    )
    if found.imagery.exists() and found.elevation.exists():
        return found
    tell = report or (lambda _message, _part: None)
    directory.mkdir(parents=True, exist_ok=True)
    tell("elevation", 0.0)
    height = elevation()
    picture = imagery(height, GRID.ground_resolution, tell)
    tell("files", 0.85)
    transform = GRID.transform
    _put(found.elevation, _geotiff(height[None], transform @ Affine.scale(STEP)))
    _put(found.imagery, _geotiff(picture.transpose(2, 0, 1), transform))
    tell("done", 1.0)
    return found


def _geotiff(bands: NDArray[np.uint8] | NDArray[np.float32], transform: Affine) -> bytes:
    """Return a tiled GeoTIFF of `bands` (bands, rows, cols), with overviews."""
    real = bands.dtype == np.float32
    profile = {
        "driver": "GTiff",
        "dtype": bands.dtype.name,
        "count": bands.shape[0],
        "height": bands.shape[1],
        "width": bands.shape[2],
        "crs": CRS.from_epsg(3857),
        "transform": transform,
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "compress": "deflate",
        "predictor": 3 if real else 2,  # TIFF 6, differences of neighbours; 3 is for floats
        "zlevel": 6,
        "num_threads": "all_cpus",
        **({"nodata": np.nan} if real else {"photometric": "rgb", "interleave": "pixel"}),
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(bands)
            dataset.build_overviews([2, 4, 8], Resampling.average)
        return bytes(memory.read())


def _put(path: Path, content: bytes) -> None:
    """Write a file that is either whole or not there, whoever else writes it too."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
