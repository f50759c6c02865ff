"""Small rasters that say what they mean in unusual ways, for tests of what is made of them."""

import numpy as np
import rasterio
from rasterio.transform import from_origin

from samgis_process.grid import GeoBox
from samgis_process.processes.windows import finest_zoom
from samgis_process.settings import LimitSettings
from samgis_process.sources.elevation import read_relief
from samgis_process.sources.raster import GdalOptions, RasterSource
from samgis_process.terrain.gradient import slope

SIDE = 160
ROWS, COLS = np.mgrid[:SIDE, :SIDE]
DISC = (COLS - 80) ** 2 + (ROWS - 90) ** 2 < 40**2
RGB = np.stack([np.where(DISC, a, b) for a, b in ((220, 60), (180, 90), (60, 50))]).astype("u1")
HILL = (500 + 100 * np.exp(-((COLS - 80) ** 2 + (ROWS - 90) ** 2) / 900)).astype("f4")
UTM = from_origin(400_000, 5_200_000, 10, 10)


def plane(degrees, cell=10.0, side=SIDE, turned=25.0):
    """Metres of a plane; towards `turned` degrees from east, southwards, it rises."""
    rows, cols = np.mgrid[:side, :side]
    away = cols * np.cos(np.radians(turned)) + rows * np.sin(np.radians(turned))
    return 200 + away * cell * np.tan(np.radians(degrees))


def write(path, bands, after=None, transform=UTM, crs="EPSG:32632", **profile):
    """Write (bands, rows, cols) or (rows, cols); `after` gets the open dataset."""
    bands = bands[None] if bands.ndim == 2 else bands
    count, height, width = bands.shape
    profile = {"driver": "GTiff", "dtype": bands.dtype.name, **profile}
    with rasterio.open(
        path, "w", count=count, height=height, width=width, crs=crs, transform=transform, **profile
    ) as dataset:
        dataset.write(bands)
        if after:
            after(dataset)
    return path


def opened(path, **options):
    """Return the source of a file."""
    return RasterSource.open(path.name, path, GdalOptions(**options))


def whole(source, zoom=None):
    """Return the grid that covers a source."""
    info = source.info
    zoom = finest_zoom(info.bounds, info, LimitSettings()) if zoom is None else zoom
    return GeoBox.around(info.bounds, zoom)


def heights(source, grid=None):
    """Return the known heights of a window, its slopes, and warnings."""
    relief = read_relief(source, grid or whole(source), 1)
    inner = relief.surface.elevation[1:-1, 1:-1]
    degrees = slope(relief.surface)
    return inner[np.isfinite(inner)], degrees[np.isfinite(degrees)], relief.warnings
