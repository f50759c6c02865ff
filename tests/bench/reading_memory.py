"""Memory after forty wide windows of a striped raster without overviews: `python FILE`.

Prints the process's resident memory before and after, in MB, and the largest in between.
"""

import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from samgis_process.grid import GeoBox
from samgis_process.settings import LimitSettings
from samgis_process.sources.gdal_env import bound_cache
from samgis_process.sources.raster import RasterSource

SIDE = 30_000
WINDOWS = 40


def resident_mb():
    """Return the memory that this process holds now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def striped(path):
    """Write a raster in strips: noise that repeats, so that it compresses and is no void."""
    rows = np.random.default_rng(0).integers(0, 255, (3, 64, SIDE), np.uint8)
    place = from_origin(400_000, 5_500_000, 1, 1)
    with rasterio.open(
        path, "w", driver="GTiff", width=SIDE, height=SIDE, count=3, dtype="uint8",
        crs="EPSG:32632", transform=place, compress="lzw", interleave="pixel", bigtiff="yes",
    ) as dataset:  # fmt: skip
        for top in range(0, SIDE, 64):
            part = rows[:, : min(64, SIDE - top)]
            dataset.write(part, window=((top, top + part.shape[1]), (0, SIDE)))


def main():
    """Read the windows."""
    bound_cache(LimitSettings().gdal_cache_bytes)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "striped.tif"
        striped(path)
        source = RasterSource.open("striped", path)
        before = resident_mb()
        whole = GeoBox.around(source.info.bounds, 15)
        for turn in range(WINDOWS):
            step = (whole.height - 1024) * turn // WINDOWS
            source.read(GeoBox(15, whole.col_off, whole.row_off + step, whole.width, 1024))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{WINDOWS} windows of {whole.width} x 1024 pixels: {before:.0f} MB before, "
        f"{resident_mb():.0f} MB after, {peak:.0f} MB at most\n"
    )


if __name__ == "__main__":
    main()
