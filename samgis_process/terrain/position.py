"""Where a cell lies among its wider surroundings: height above their mean, and their spread.

The surroundings are summed up on coarser cells, of a grid that all windows share, and in integers,
so that sums are exact and a cell's result is the same in whatever window it is computed; between
the middles of the coarser cells it is interpolated. What it costs does not grow with the radius.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from samgis_process.terrain.surface import Metres, Surface
from samgis_process.terrain.surroundings import Whole

# 9 km, squared, times 10^8 weights fit 64 bits; 16 cells of 9 km float32.
STEPS_PER_METRE = 64
COARSE_CELLS = 8  # that make up the radius
LEAST_RADIUS = 4
INTERPOLATED = 2  # of them, lost to interpolation


class Position(NamedTuple):
    """Metres, float32 (rows, cols).

    Attributes:
        height: above the mean of the surroundings.
        spread: standard deviation of the surroundings.
    """

    height: Metres
    spread: Metres


def position(surface: Surface, radius: int) -> Position:
    """Return how each cell lies among those within `radius` cells.

    They weigh by a pyramid, a square seen through a square, so that a summit leaves no square mark
    around it. Unknown cells do not count; an unknown cell has no height.

    Args:
        radius: at least `LEAST_RADIUS`; so many cells less on each side come back.

    Source: Wilson and Gallant 2000, "Terrain analysis", chapter 3, whose deviation from mean
    elevation is height / spread, over a disc.
    """
    factor = max(1, 2 ** int(math.log2(radius / COARSE_CELLS))) if radius >= COARSE_CELLS else 1
    reach = radius // factor - INTERPOLATED
    z = surface.elevation
    lines = [
        _Line(first, side, factor) for first, side in zip(surface.origin, z.shape, strict=True)
    ]
    first, second, count = (_pyramid(one, reach) for one in _sums(z, lines))
    mean, spread = _moments(first, second, count)
    mean, spread = (_interpolated(one, lines, reach, radius) for one in (mean, spread))
    inner = slice(radius, -radius)
    return Position(z[inner, inner] - mean, spread)


class _Line:
    """One direction of a window: which of its cells make up which coarser cell."""

    def __init__(self, first: int, side: int, factor: int) -> None:
        self.factor = factor
        self.first, self.side = first, side
        self.begin = -first % factor  # of the first whole coarser cell
        self.count = (side - self.begin) // factor

    @property
    def whole(self) -> slice:
        """The cells that make up whole coarser cells."""
        return slice(self.begin, self.begin + self.count * self.factor)

    def places(self, reach: int, margin: int) -> tuple[NDArray[np.intp], Metres]:
        """Return, of the cells within `margin`, the coarser cell before each, and the way on.

        Args:
            reach: coarser cells that summing took from either end.
        """
        cells = np.arange(margin, self.side - margin)
        # In halves of a cell, which are whole numbers.
        halves = 2 * (cells - self.begin) + 1 - self.factor
        before = halves // (2 * self.factor)
        part = (halves - before * 2 * self.factor).astype(np.float32)
        return before - reach, part * np.float32(0.5 / self.factor)


def _sums(z: Metres, lines: list[_Line]) -> tuple[Whole, Whole, Whole]:
    """Return, over coarser cells, the sums of heights in steps, of their squares, and of cells."""
    known = np.isfinite(z)
    steps = np.rint(z * np.float32(STEPS_PER_METRE))
    if known.all():
        count = np.full([line.count for line in lines], lines[0].factor ** 2, np.int64)
    else:
        steps[~known] = 0
        count = _coarse(known.astype(np.float32), lines)
    return _coarse(steps, lines), _coarse(np.square(steps, dtype=np.float64), lines), count


def _coarse(values: NDArray[np.floating], lines: list[_Line]) -> Whole:
    """Return the sums over coarser cells of whole numbers.

    They are summed as they come over a few rows: floats hold whole numbers that small exactly.
    """
    factor = lines[0].factor
    rows = values[lines[0].whole]
    tall = rows[::factor].copy()
    for step in range(1, factor):
        tall += rows[step::factor]
    whole = tall[:, lines[1].whole].astype(np.int64)
    return np.asarray(sum(whole[:, step::factor] for step in range(factor)))


def _pyramid(values: Whole, reach: int) -> Whole:
    """Return sums weighted by a pyramid that ends after `reach` cells."""
    for half in (reach // 2, reach - reach // 2):
        values = _box_sums(_box_sums(values, half, 1), half, 0)
    return values


def _box_sums(values: Whole, reach: int, axis: int) -> Whole:
    """Return sums over 2 `reach` + 1 cells along an axis."""
    side = 2 * reach + 1
    sums = np.cumsum(values, axis)
    padded = np.insert(sums, 0, 0, axis)
    length = padded.shape[axis]
    upper = np.take(padded, range(side, length), axis)
    result: Whole = upper - np.take(padded, range(length - side), axis)
    return result


def _moments(first: Whole, second: Whole, count: Whole) -> tuple[Metres, Metres]:
    """Return the mean and the standard deviation, metres."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = first / count
        # About a whole number near the mean: sums may wrap around 64 bits, their difference fits.
        about = np.rint(np.nan_to_num(mean)).astype(np.int64)
        total = second - about * (2 * first - about * count)
        variance = total / count - (mean - about) ** 2
    spread = np.sqrt(np.maximum(variance, 0))
    return tuple((one / STEPS_PER_METRE).astype(np.float32) for one in (mean, spread))  # type: ignore[return-value]


def _interpolated(values: Metres, lines: list[_Line], reach: int, margin: int) -> Metres:
    """Return bilinear values at the cells within `margin`."""
    (rows, down), (cols, along) = (line.places(reach, margin) for line in lines)
    tall = values[rows]
    tall += (values[rows + 1] - tall) * down[:, None]
    step = np.diff(tall, axis=1)
    result = np.take(tall, cols, axis=1)
    slope = np.take(step, cols, axis=1)
    slope *= along
    result += slope
    return result
