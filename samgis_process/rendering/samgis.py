"""The terrain composite of SamGIS, from its formulas, without its crashes.

It is kept for comparison and is not metric: its slope depends on the window's width, its curvature
has no sign, and its colours are stretched over the window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samgis_process.terrain import Surface

Floats = NDArray[np.float64]

CELL_PER_COLUMN = 61 / 1024  # its cell size, "metres", of a window's width in pixels
MIX = (2.5, 1.1, 2.0)  # thirds of elevation, slope and curvature in the second channel
SPANS = (64, 128, 192)  # levels of the three channels, below 255
FLAT = 128.0  # what has no highest and no lowest is mid-grey


def samgis(surface: Surface) -> NDArray[np.float32]:
    """Return levels 0 to 255, float32 (rows, cols, 3), NaN where the elevation is unknown."""
    z = surface.elevation.astype(np.float64)
    known = np.isfinite(z)
    if not known.any() or np.ptp(z[known]) == 0:
        return _masked(np.full((*z.shape, 3), FLAT), known)
    cell = max(1, int(z.shape[1] * CELL_PER_COLUMN))
    # Unknown cells take the lowest known height: they make no cliff in the range of the others.
    filled = np.where(known, z, z[known].min())
    slope = _steepness(filled, cell)
    bent = 255 * _stretched(_steepness(slope, cell), known)
    parts = (255 * _stretched(filled, known), 255 * _stretched(slope, known), bent)
    mix = sum(weight * part for weight, part in zip(MIX, parts, strict=True)) / 3
    channels = [_stretched(one, known) for one in (filled, np.asarray(mix), bent)]
    levels = [255 - np.floor(span * one) for span, one in zip(SPANS, channels, strict=True)]
    return _masked(np.stack(levels, axis=-1), known)


def _steepness(values: Floats, cell: int) -> Floats:
    """Return degrees of the gradient by central differences; a single row or column has none."""
    squared = np.zeros_like(values)
    for axis in (0, 1):
        if values.shape[axis] > 1:
            squared += np.gradient(values, cell, axis=axis) ** 2
    return np.degrees(np.arctan(np.sqrt(squared)))


def _stretched(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return the values between the window's lowest, 0, and highest, 1; 1/2 if all are alike."""
    low, high = values[known].min(), values[known].max()
    if low == high:
        return np.full_like(values, 0.5)
    stretched: Floats = np.clip((values - low) / (high - low), 0, 1)
    return stretched


def _masked(levels: Floats, known: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.where(known[..., None], levels, np.nan).astype(np.float32)
