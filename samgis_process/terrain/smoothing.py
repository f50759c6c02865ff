"""Gaussian smoothing in metres on the ground, before derivatives."""

from __future__ import annotations

import math

import numpy as np

from samgis_process.terrain.surface import Metres, Surface

REACH = 3.0  # standard deviations; what lies beyond weighs 0.3 % together


def reach_of(sigma: float, resolution: float) -> int:
    """Return how many cells away others still count; `resolution` is the smallest cell's size.

    Some more than that: rows towards the pole, in the halo, have smaller cells.
    """
    return math.ceil(1.05 * REACH * sigma / resolution) if sigma > 0 else 0


def smoothed(surface: Surface, sigma: float, reach: int) -> Surface:
    """Return the surface smoothed by a Gaussian of `sigma` metres, without `reach` cells around.

    Unknown cells do not count and stay unknown. Weights are those of each row's own cell size, and
    are 0 beyond `REACH` sigmas, so that a window's result does not depend on its other rows.
    """
    if reach == 0:
        return surface
    inner = slice(reach, -reach)
    known = np.isfinite(surface.elevation)
    weight = known.astype(np.float32)
    total = np.where(known, surface.elevation, np.float32(0))
    total, weight = (_along_rows(one, surface.dx, sigma, reach) for one in (total, weight))
    total, weight = (_across_rows(one, surface.dy, sigma, reach) for one in (total, weight))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known[inner, inner], total / weight, np.float32(np.nan))
    return surface.trimmed(reach).of(mean)


def _along_rows(values: Metres, sizes: Metres, sigma: float, reach: int) -> Metres:
    cols = values.shape[1] - 2 * reach
    total = np.zeros((values.shape[0], cols), np.float32)
    for offset in range(-reach, reach + 1):
        total += values[:, reach + offset :][:, :cols] * _weights(sizes, offset, sigma)
    return total


def _across_rows(values: Metres, sizes: Metres, sigma: float, reach: int) -> Metres:
    rows = values.shape[0] - 2 * reach
    total = np.zeros((rows, values.shape[1]), np.float32)
    here = sizes[reach : reach + rows]
    for offset in range(-reach, reach + 1):
        total += values[reach + offset :][:rows] * _weights(here, offset, sigma)
    return total


def _weights(sizes: Metres, offset: int, sigma: float) -> Metres:
    """Return the weight of a cell `offset` away, by row, float32 (rows, 1)."""
    away = [offset * float(size) / sigma for size in sizes]
    weights = [math.exp(-away_ * away_ / 2) if abs(away_) <= REACH else 0.0 for away_ in away]
    return np.array(weights, np.float32)[:, None]
