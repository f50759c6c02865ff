"""From the cells of a dataset to the pixels of a window."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.warp import reproject

from samgis_process.grid import GeoBox
from samgis_process.sources.cells import Cells

MERCATOR = "EPSG:3857"
RINGS = 3  # of cells around the known ones, that a kernel may reach
# Cells by which GDAL may be off where it saves transformations; of ground a slope shows less.
TOLERANCE, GROUND_TOLERANCE = 0.125, 0.01
SAME = 1.01  # cells along a pixel that are as good as one
EDGES = ((RINGS, RINGS), (RINGS, RINGS))
AXES, DIAGONALS = ((0, 1), (1, 0)), ((1, 1), (1, -1))

Placed = tuple[NDArray[Any], NDArray[np.bool_]]


def picture_pixels(
    cells: Cells, transform: Affine, crs: str, grid: GeoBox, steps: float, *, mixed: bool
) -> Placed:
    """Return (bands, rows, cols) of a picture and bool (rows, cols), where it is known.

    Args:
        transform: from (col, row) of the cells to (x, y) in `crs`.
        steps: cells along a pixel.
        mixed: whether there is something between two values; not so of classes.
    """
    how = Resampling.nearest
    if mixed:
        how = Resampling.cubic if steps <= SAME else Resampling.bilinear
    known = _nearest(cells.known[None].astype(np.uint8), transform, crs, grid)[0] > 0
    full = cells.known.all()
    values = cells.values if full or not mixed else _grown(cells, straight=False)
    result = np.zeros((len(values), *grid.shape), values.dtype)
    _warp(values, result, transform, crs, grid.transform, how, TOLERANCE)
    return result, known


def ground_pixels(cells: Cells, transform: Affine, crs: str, grid: GeoBox, steps: float) -> Placed:
    """Return elevation, float32 (1, rows, cols), in which a plane stays a plane.

    Between cells it is interpolated, by a kernel that continues straight lines; where pixels are
    larger than cells, by the mean of four places in each. Around what is known it goes on as it
    came, so that no slope is made up beside a hole; and it never leaves the range of the cells
    around it, as a cubic kernel does beside a wall.
    """
    # The dataset's own edge is one of what is known, too.
    cells = Cells(np.pad(cells.values, ((0, 0), *EDGES)), np.pad(cells.known, EDGES))
    transform = transform @ Affine.translation(-RINGS, -RINGS)
    heights = _grown(cells, straight=True)[0]
    finer = steps <= SAME
    factor = 1 if finer else 2
    fine = np.zeros((1, grid.height * factor, grid.width * factor), np.float32)
    how = Resampling.cubic if finer else Resampling.bilinear
    _warp(
        heights[None], fine, transform, crs, grid.transform @ Affine.scale(1 / factor), how,
        GROUND_TOLERANCE,
    )  # fmt: skip
    if not finer:
        blocks = fine.reshape(1, grid.height, factor, grid.width, factor)
        fine = blocks.mean(axis=(2, 4), dtype=np.float32)
    lowest, highest = _range(heights, np.fmin), _range(heights, np.fmax)
    around = np.stack([cells.known.astype(np.float32), lowest, highest])
    known, lowest, highest = _nearest(around, transform, crs, grid)
    if finer:
        np.clip(fine[0], lowest, highest, out=fine[0])
    return fine, known > 0


def _nearest(values: NDArray[Any], transform: Affine, crs: str, grid: GeoBox) -> NDArray[Any]:
    result = np.zeros((len(values), *grid.shape), values.dtype)
    _warp(values, result, transform, crs, grid.transform, Resampling.nearest, TOLERANCE)
    return result


def _warp(
    values: NDArray[Any],
    result: NDArray[Any],
    transform: Affine,
    crs: str,
    onto: Affine,
    how: Resampling,
    tolerance: float,
) -> None:
    reproject(
        np.ascontiguousarray(values),
        result,
        src_transform=transform,
        src_crs=crs,
        dst_transform=onto,
        dst_crs=MERCATOR,
        resampling=how,
        tolerance=tolerance,
    )


def _range(heights: NDArray[Any], which: np.ufunc) -> NDArray[Any]:
    """Return the lowest or highest of each cell and its eight neighbours."""
    padded = np.pad(heights, 1, mode="edge")
    tall = which(which(padded[:-2], padded[1:-1]), padded[2:])
    result: NDArray[Any] = which(which(tall[:, :-2], tall[:, 1:-1]), tall[:, 2:])
    return result


def _grown(cells: Cells, *, straight: bool) -> NDArray[Any]:
    """Return the values with what is not known filled in, as far as a kernel reaches.

    Each unknown cell becomes what its known neighbours say; if `straight`, as the ground goes on.
    """
    dtype = np.float32 if straight else cells.values.dtype
    if cells.known.all():
        return cells.values.astype(dtype, copy=False)
    known = np.pad(cells.known, RINGS)
    values = np.where(cells.known, cells.values, 0).astype(np.float64)
    values = np.pad(values, ((0, 0), *EDGES))
    inner = slice(RINGS, -RINGS)
    for _ in range(RINGS):
        # All eight around: a kernel reaches as far across a corner as along a side.
        across = known[:, 2:] | known[:, 1:-1] | known[:, :-2]
        near = np.pad(across[2:] | across[1:-1] | across[:-2], 1)
        outside = np.ones_like(known)
        outside[inner, inner] = False
        rows, cols = np.nonzero(near & ~known & ~outside)
        values[:, rows, cols] = _guess(values, known, rows, cols, straight=straight)
        known[rows, cols] = True
    filled = values[:, inner, inner]
    if np.dtype(dtype).kind in "iu":
        kind = np.iinfo(dtype)
        filled = np.clip(np.rint(filled), kind.min, kind.max)
    # What was known keeps its bits.
    result: NDArray[Any] = np.where(cells.known, cells.values, filled.astype(dtype)).astype(dtype)
    return result


def _guess(
    values: NDArray[Any],
    known: NDArray[np.bool_],
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
    *,
    straight: bool,
) -> NDArray[Any]:
    """Return what neighbours say of unknown cells.

    The mean of the two on either side, or what follows from those behind one; only where there is
    neither, a neighbour's own value.
    """
    good, best = np.zeros((len(values), len(rows))), np.zeros(len(rows))
    poor, some = good.copy(), best.copy()
    for lines in (AXES, DIAGONALS):
        open_ = best == 0
        for down, along in lines:
            sides = [
                _ahead(values, known, rows, cols, sign * down, sign * along) for sign in (1, -1)
            ]
            between = sides[0].there & sides[1].there & open_
            good += np.where(between, (sides[0].first + sides[1].first) / 2, 0)
            best += between
            for side in sides:
                follows = side.there & side.follows & ~between & open_ & straight
                good += np.where(follows, side.first + side.rise, 0)
                best += follows
                poor += np.where(side.there, side.first, 0)
                some += side.there
    result: NDArray[Any] = np.where(
        best > 0, good / np.maximum(best, 1), poor / np.maximum(some, 1)
    )
    return result


class _Ahead(NamedTuple):
    """The cells in one direction: the first, the rise that goes on from those behind it."""

    first: NDArray[Any]
    rise: NDArray[Any]
    there: NDArray[np.bool_]
    follows: NDArray[np.bool_]


def _ahead(
    values: NDArray[Any],
    known: NDArray[np.bool_],
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
    down: int,
    along: int,
) -> _Ahead:
    at = [(rows + down * far, cols + along * far) for far in (1, 2, 3)]
    first, second, third = (values[:, *one] for one in at)
    there, follows, far = (known[one] for one in at)
    rise = first - second
    before = np.where(far, second - third, rise)
    same = np.sign(rise) == np.sign(before)
    rise = np.where(same, np.sign(rise) * np.minimum(np.abs(rise), np.abs(before)), 0)
    return _Ahead(first, rise, there, follows)
