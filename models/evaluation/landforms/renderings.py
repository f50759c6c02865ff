"""The candidates: ways to draw elevation as a picture that a model reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.evaluation.landforms.scene import HALO, Scene
from samgis_process.rendering import TERRAIN, TerrainRendering, paint
from samgis_process.rendering.draw import NOTHING
from samgis_process.terrain import Options, Surface, compute

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Painter = Callable[[Surface], Image]

DISTANCES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # cells, of openness and sky view
STRETCH = (2.0, 98.0)  # percentiles of the window that `grey` draws as black and white
OPEN = (60.0, 120.0)  # degrees of openness drawn as 0 and 255: level ground is grey
STEEPEST = 60.0  # degrees of slope drawn as 255


def picture(scene: Scene, name: str) -> Image:
    """Return a scene as the model sees it, uint8 (rows, cols, 3)."""
    cells = np.full(len(scene.elevation), scene.cell_m, np.float32)
    surface = Surface(scene.elevation, cells, cells)
    image = RENDERINGS[name](surface)
    image[~np.isfinite(scene.window)] = NOTHING
    return np.ascontiguousarray(image)


def of_product(name: str, radius: int | None = None) -> Painter:
    """Return one of the server's own renderings, with its own radius unless one is given."""
    wanted = TerrainRendering(name, radius or TERRAIN[name].radius)
    return lambda surface: paint(wanted, surface, HALO)


def _layer(surface: Surface, name: str) -> Floats:
    """Return a layer of the window; what is unknown is drawn over by `picture`."""
    return np.nan_to_num(compute(surface, name, Options(), HALO))


def _levels(values: Floats, low: float, high: float) -> Image:
    share = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    return np.asarray(np.rint(255 * share), np.uint8)


def _composed(*channels: Image) -> Image:
    return np.stack(channels * (3 // len(channels)), axis=-1)


def _grey(surface: Surface) -> Image:
    heights = surface.trimmed(HALO).elevation
    low, high = np.nanpercentile(heights, STRETCH)
    return _composed(_levels(np.nan_to_num(heights, nan=float(low)), float(low), float(high)))


def _shaded(surface: Surface) -> Image:
    return _composed(_levels(_layer(surface, "hillshade"), 0, 255))


def _openness(surface: Surface) -> Image:
    upper, lower = _angles(surface)
    return _composed(
        _levels(90 - _mean(upper), *OPEN),
        _levels(_layer(surface, "slope"), 0, STEEPEST),
        _levels(90 + _mean(lower), *OPEN),
    )


def _sky_view(surface: Surface) -> Image:
    upper, _ = _angles(surface)
    seen = 1 - _mean([np.sin(np.radians(np.maximum(angle, 0))) for angle in upper])
    sky = _levels(seen, 0.4, 1)
    gentle = 255 - _levels(_layer(surface, "slope"), 0, STEEPEST)
    return _composed(sky, gentle, ((sky.astype(np.uint16) + gentle) // 2).astype(np.uint8))


def _mean(fields: Sequence[Floats]) -> Floats:
    return np.asarray(sum(fields) / len(fields), np.float32)


def _angles(surface: Surface) -> tuple[list[Floats], list[Floats]]:
    """Return the highest and the lowest elevation angle in eight directions, degrees.

    At `DISTANCES` only, not at every cell of the way as the server's own layers: the candidates
    are to be told apart, and exact horizons of a hundred windows take an hour.
    """
    heights = np.nan_to_num(surface.elevation, nan=float(np.nanmean(surface.elevation)))
    upper, lower = [], []
    for turn in range(8):
        east, north = math.cos(turn * math.pi / 4), math.sin(turn * math.pi / 4)
        tangents = [_tangent(heights, surface.resolution, east * d, north * d) for d in DISTANCES]
        upper.append(np.degrees(np.arctan(np.max(tangents, axis=0))))
        lower.append(np.degrees(np.arctan(np.min(tangents, axis=0))))
    return upper, lower


def _tangent(heights: Floats, cell_m: float, east: float, north: float) -> Floats:
    """Return the slope of the line of sight to the cell at an offset."""
    cols, rows = round(east), -round(north)
    there = heights[HALO + rows : rows - HALO, HALO + cols : cols - HALO]
    rise = there - heights[HALO:-HALO, HALO:-HALO]
    return np.asarray(rise / np.float32(math.hypot(cols, rows) * cell_m), np.float32)


RENDERINGS: Mapping[str, Painter] = {
    "tinted-slope": of_product("tinted-slope"),
    "relief": of_product("relief"),
    "terrain": of_product("terrain"),
    "samgis": of_product("samgis"),
    "openness": _openness,
    "sky view + slope": _sky_view,
    "hillshade": _shaded,
    "grey": _grey,
}
