"""Height above the surroundings: the topographic position index.

Elevation is counted in whole steps and summed in integers: sums are exact, so that a cell's result
is the same whatever window it was computed in.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from samgis_process.terrain.surface import Metres, Surface

Whole = NDArray[np.int64]

STEPS_PER_METRE = 65536  # sums over 10^10 cells as high as Everest fit 64 bits


def tpi(surface: Surface, radius: int) -> Metres:
    """Return the height above the mean of the other cells within `radius`, metres.

    The neighbourhood is the disc of `radius` + 1/2 cells, at radius 1 the eight neighbours.
    Unknown cells do not count; `radius` cells less on each side than came in.

    Source: Weiss 2001, "Topographic position and landforms analysis", as topographic position
    index; with one ring of cells Wilson et al. 2007, doi:10.1080/01490410701295962.
    """
    known = np.isfinite(surface.elevation)
    steps = counted(surface.elevation, known, STEPS_PER_METRE)
    inner = (slice(radius, -radius),) * 2
    here = steps[inner]
    total = _disc_sums(steps, radius) - here
    count: NDArray[np.int64] | int = _cells_of_disc(radius) - 1
    if not known.all():
        count = _disc_sums(known.astype(np.int64), radius) - known[inner]
    above = here * count - total  # whole: the same at any sea level
    with np.errstate(divide="ignore", invalid="ignore"):
        result = (above / (count * STEPS_PER_METRE)).astype(np.float32)
    result[~known[inner]] = np.nan
    return result


def counted(elevation: Metres, known: NDArray[np.bool_], per_metre: int) -> Whole:
    """Return elevation in whole steps, 0 where it is not known."""
    steps = np.rint(np.where(known, elevation, 0).astype(np.float64) * per_metre)
    return steps.astype(np.int64)


def _half_widths(radius: int) -> list[int]:
    """Return for each row of a disc, from its middle, how far it reaches to either side."""
    return [math.isqrt(int((radius + 0.5) ** 2) - row * row) for row in range(radius + 1)]


def _cells_of_disc(radius: int) -> int:
    half = _half_widths(radius)
    return 2 * sum(2 * width + 1 for width in half) - (2 * half[0] + 1)


def _disc_sums(values: Whole, radius: int) -> Whole:
    """Return sums over the disc around each cell that is `radius` away from the edges."""
    rows, cols = (side - 2 * radius for side in values.shape)
    sums = np.zeros((values.shape[0], values.shape[1] + 1), np.int64)
    np.cumsum(values, axis=1, out=sums[:, 1:])
    half = _half_widths(radius)
    total = np.zeros((rows, cols), np.int64)
    for offset in range(-radius, radius + 1):
        width = half[abs(offset)]
        row = sums[radius + offset : radius + offset + rows]
        total += row[:, radius + width + 1 : radius + width + 1 + cols]
        total -= row[:, radius - width : radius - width + cols]
    return total
