"""The terrain composite of SamGIS, from its formulas, without its crashes.

It is kept for comparison and is not metric: its slope depends on the window's width, its curvature
has no sign, and its colours are stretched over the window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samgis_process.terrain import Surface

Floats = NDArray[np.float32]

CELL_PER_COLUMN = 61 / 1024  # its cell size, "metres", of a window's width in pixels
MIX = (2.5, 1.1, 2.0)  # thirds of elevation, slope and curvature in the second channel
SPANS = (64, 128, 192)  # levels of the three channels, below 255
FLAT = 128  # what has no highest and no lowest is mid-grey


def samgis(surface: Surface) -> Floats:
    """Return levels 0 to 255, float32 (rows, cols, 3), NaN where the elevation is unknown."""
    z = surface.elevation
    known = np.isfinite(z)
    levels = np.full((*z.shape, 3), FLAT, np.float32)
    if known.any() and np.ptp(z[known]) > 0:
        for index, channel in enumerate(_channels(z, known)):
            levels[..., index] = 255 - np.floor(SPANS[index] * channel)
    levels[~known] = np.nan
    return levels


def _channels(z: Floats, known: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return elevation, the mix of all three, and curvature, each 0 to 1."""
    cell = max(1, int(z.shape[1] * CELL_PER_COLUMN))
    # Unknown cells take the lowest known height: they make no cliff in the range of the others.
    height = np.where(known, z, z[known].min())
    slope = _steepness(height, cell)
    bent = _stretched(_steepness(slope, cell), known)
    height = _stretched(height, known)
    mix = np.float32(MIX[0]) * height
    mix += np.float32(MIX[1]) * _stretched(slope, known)
    mix += np.float32(MIX[2]) * bent
    return height, _stretched(mix, known), bent


def _steepness(values: Floats, cell: int) -> Floats:
    """Return degrees of the gradient by central differences; a single row or column has none."""
    squared = np.zeros_like(values)
    for axis in (0, 1):
        if values.shape[axis] > 1:
            rise = np.gradient(values, cell, axis=axis).astype(np.float32)
            squared += np.square(rise, out=rise)
    np.sqrt(squared, out=squared)
    return np.degrees(np.arctan(squared, out=squared), out=squared)


def _stretched(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return the values between the window's lowest, 0, and highest, 1; 1/2 if all are alike."""
    low, high = values[known].min(), values[known].max()
    if low == high:
        return np.full_like(values, 0.5)
    stretched = values - low
    stretched /= high - low
    return np.clip(stretched, 0, 1, out=stretched)
