"""Compare terrain layers with other tools on real elevation: `make terrain-table`.

Against gdaldem and xarray-spatial, which know one cell size in a raster: rasters whose cells
change with the latitude are handed to them in strips of few rows, each with its own size.
`tests/oracle/test_gdaldem.py` holds the same numbers to their tolerances.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
import surfaces
from affine import Affine
from rasterio.warp import Resampling, reproject

from samgis_process.grid import Bounds, GeoBox
from samgis_process.terrain import Options, Surface, compute

NODATA = -9999.0
STRIP = 9  # rows; at 46 degrees of 27 m cells' cosine then changes by 2e-5 from its middle
OPTIONS = Options(radius=1)


class Part(NamedTuple):
    """A raster that has one cell size, or nearly.

    Attributes:
        path: what other tools read.
        scale: metres on the ground per unit of the raster.
        surface: the same cells as we know them.
        cell: (x, y), metres on the ground, in the middle row.
    """

    path: Path
    scale: float
    surface: Surface
    cell: tuple[float, float]


# Where the parts come from


def projected(path: Path, _: Path) -> list[Part]:
    """Return a projected raster as it is."""
    with rasterio.open(path) as dataset:
        z = dataset.read(1, masked=True).astype(np.float32).filled(np.nan)
        dx, dy = (float(size) for size in dataset.res)
    return [Part(path, 1.0, surfaces.even(z, dx, dy), (dx, dy))]


def warped(path: Path, work: Path) -> list[Part]:
    """Return strips of a raster warped to zoom 12 of Web Mercator."""
    with rasterio.open(path) as dataset:
        bounds = Bounds(*rasterio.warp.transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds))
        grid = GeoBox.around(bounds, 12)
        z = np.full(grid.shape, np.nan, np.float32)
        reproject(
            rasterio.band(dataset, 1),
            z,
            dst_transform=grid.transform,
            dst_crs="EPSG:3857",
            dst_nodata=np.nan,
            resampling=Resampling.bilinear,
        )
    surface = Surface.on_mercator(z, grid)
    return [
        _strip(surface, start, grid.resolution, work / f"mercator-{start}.tif")
        for start in range(0, grid.height - STRIP, 40)
    ]


def in_degrees(path: Path, work: Path) -> list[Part]:
    """Return strips of a geographic raster, each as a local one with its oblong metres."""
    with rasterio.open(path) as dataset:
        z = dataset.read(1, masked=True).astype(np.float32).filled(np.nan)
        transform, north = dataset.transform, dataset.bounds.top
    if transform.e > 0:  # rows from the south
        z, north = z[::-1], max(dataset.bounds.top, dataset.bounds.bottom)
    surface = surfaces.on_degrees(z, north, transform.a, abs(transform.e))
    return [
        _strip(surface, start, None, work / f"degrees-{start}.tif")
        for start in range(0, len(z) - STRIP, 40)
    ]


def _strip(surface: Surface, start: int, unit: float | None, path: Path) -> Part:
    part = surface.rows(start, start + STRIP)
    dx, dy = (float(size[STRIP // 2]) for size in (part.dx, part.dy))
    scale = 1.0 if unit is None else dx / unit
    write(path, part.elevation, dx / scale, dy / scale)
    return Part(path, scale, part, (dx, dy))


def write(path: Path, elevation: np.ndarray, dx: float, dy: float) -> None:
    """Write a local raster, float32, with a nodata value."""
    profile = {
        "driver": "GTiff",
        "dtype": "float32",
        "count": 1,
        "height": elevation.shape[0],
        "width": elevation.shape[1],
        "nodata": NODATA,
        "crs": "EPSG:3857",
        "transform": Affine(dx, 0, 0, 0, -dy, 0),
    }
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(np.where(np.isfinite(elevation), elevation, np.float32(NODATA)), 1)


CASES = {
    "EPSG:26710, 30 m": (projected, "sainte_helens_int16.tif"),
    "EPSG:2056, 2.5 m": (projected, "swiss_dem_2056_float32_nodata.tif"),
    "EPSG:2193, 1 m": (projected, "nz_dtm_2193_float32_1m.tif"),
    "EPSG:32632, 250 m": (projected, "elev_vinschgau_utm32_float32_nodata.tif"),
    "EPSG:3857, zoom 12": (warped, "sainte_helens_int16.tif"),
    "EPSG:4326, 3 seconds": (in_degrees, "jacksboro_fault_4326_float32.tif"),
}


def parts_of(name: str, dems: Path, work: Path) -> list[Part]:
    """Return the parts of one of `CASES`."""
    maker, file = CASES[name]
    return maker(dems / file, work)


# The tools. Each returns float64 of the whole part, NaN where it has nothing


def ours(part: Part, layer: str) -> np.ndarray:
    """Return our layer, with the ring that it lacks."""
    inner = compute(part.surface, layer, OPTIONS, 1).astype(np.float64)
    return np.pad(inner, 1, constant_values=np.nan)


SUNS = (225, 270, 315, 360)  # of the multi-directional hillshade
GDALDEM = ("slope", "aspect", "hillshade", "hillshade_multi", "tpi")


def gdaldem(part: Part, layer: str) -> np.ndarray:
    """Return what gdaldem makes of it; hillshade, 1 + 254 cosine there, as 255 cosine.

    It weights the suns of `-multidirectional` by cos^2 of their angle to the aspect, so that the
    slope's front counts most; Mark 1992, and we, by sin^2, so that oblique light counts most. As
    sin^2 + cos^2 = 1, both together are half the sum of the four hillshades.
    """
    scale = ("-s", repr(part.scale))
    if layer == "tpi":
        return _gdaldem(part.path, "TPI")
    if layer != "hillshade_multi":
        return _gdaldem(part.path, layer, *scale)
    suns = [_gdaldem(part.path, "hillshade", "-az", str(sun), *scale) for sun in SUNS]
    return sum(suns) / 2 - _gdaldem(part.path, "hillshade", "-multidirectional", *scale)


def _gdaldem(path: Path, kind: str, *options: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out.tif"
        command = ["gdaldem", kind, str(path), str(out), "-q", *options]
        subprocess.run(command, check=True, capture_output=True)
        with rasterio.open(out) as dataset:
            result = dataset.read(1, masked=True).astype(np.float64).filled(np.nan)
    return (result - 1) * 255 / 254 if kind == "hillshade" else result


XRSPATIAL = ("slope", "aspect", "hillshade", "curvature")


def xrspatial(part: Part, layer: str) -> np.ndarray:
    """Return what xarray-spatial makes of it, in our units.

    Its hillshade takes rows to run north, its aspect takes them to run south: on a raster whose
    first row is the northern one its sun stands mirrored, so it is asked for the mirrored one.
    """
    import xarray
    import xrspatial

    array: Any = xarray.DataArray(
        part.surface.elevation, dims=("y", "x"), attrs={"res": part.cell}
    )
    if layer == "hillshade":
        mirrored = (180 - 315) % 360
        return np.float64(255) * xrspatial.hillshade(array, mirrored, angle_altitude=45).data
    result = getattr(xrspatial, layer)(array).data.astype(np.float64)
    if layer == "aspect":
        result[result == -1] = np.nan  # level
    return result / 100 if layer == "curvature" else result


def difference(layer: str, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return absolute differences where both know something; of bearings, the turn."""
    both = np.isfinite(first) & np.isfinite(second)
    away = np.abs(first[both] - second[both])
    return np.minimum(away, 360 - away) if layer == "aspect" else away


# The table


class Row(NamedTuple):
    """Differences of a layer from one tool on one raster."""

    tool: str
    layer: str
    case: str
    most: float
    mean: float
    cells: int


def rows(dems: Path, work: Path) -> list[Row]:
    """Return all comparisons that the machine allows."""
    tools: list[Any] = [(xrspatial, layer) for layer in XRSPATIAL]
    if shutil.which("gdaldem"):
        tools = [(gdaldem, layer) for layer in GDALDEM] + tools
    found = []
    for case in CASES:
        parts = parts_of(case, dems, work)
        for tool, layer in tools:
            away = np.concatenate(
                [difference(layer, ours(part, layer), tool(part, layer)) for part in parts]
            )
            found.append(Row(tool.__name__, layer, case, away.max(), away.mean(), away.size))
    return found


UNITS = {"slope": "degree", "aspect": "degree", "tpi": "m", "curvature": "1/m"}


def table(found: list[Row]) -> str:
    """Return Markdown: a line for each layer and tool, a column for each raster."""
    lines = ["| layer, against | " + " | ".join(CASES) + " |", "| --- |" + " --- |" * len(CASES)]
    for tool, layer in dict.fromkeys((row.tool, row.layer) for row in found):
        cells = [
            f"{row.most:.2g} / {row.mean:.1g}"
            for row in found
            if (row.tool, row.layer) == (tool, layer)
        ]
        title = f"{layer}, {UNITS.get(layer, '0-255')}, {tool.replace('xrs', 'xarray-s')}"
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    root = Path(__file__).parent.parent
    default = root.parent / "shared" / "data"
    dems = Path(os.environ.get("SAMGIS_TEST_DATA", default)) / "dem"
    if not dems.is_dir():
        sys.exit(f"no elevation in {dems}; set SAMGIS_TEST_DATA")
    with tempfile.TemporaryDirectory() as work:
        print("Largest / mean absolute difference.\n")
        print(table(rows(dems, Path(work))))


if __name__ == "__main__":
    main()
