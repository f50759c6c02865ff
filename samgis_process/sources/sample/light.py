"""Sunlight: how bright a slope is, and where something stands in the sun."""

from __future__ import annotations

import math

import numpy as np

from samgis_process.sources.sample.noise import Floats, soften

SUN_AZIMUTH_DEG = 292.0  # clockwise from north: an evening in June, as far north as it comes
SUN_HEIGHT_DEG = 36.0
_AZIMUTH, _HEIGHT = math.radians(SUN_AZIMUTH_DEG), math.radians(SUN_HEIGHT_DEG)
# Towards the sun, in picture axes: east, south, up.
TO_SUN = (
    math.sin(_AZIMUTH) * math.cos(_HEIGHT),
    -math.cos(_AZIMUTH) * math.cos(_HEIGHT),
    math.sin(_HEIGHT),
)


def shade(height: Floats, ground_res: float) -> Floats:
    """Return the brightness of each slope: 1 on the level, Lambert's cosine elsewhere.

    Args:
        height: metres, (rows, cols).
        ground_res: metres per sample.
    """
    south, east = np.gradient(height, ground_res)
    lit = TO_SUN[2] - east * TO_SUN[0] - south * TO_SUN[1]
    level = lit / np.sqrt(1 + east**2 + south**2) / TO_SUN[2]
    return np.asarray(np.clip(level, 0, None), np.float32)


def shadow(height: Floats, ground_res: float, reach: int = 16) -> Floats:
    """Return how much of each pixel lies in the shadow of `height`, 0..1.

    Args:
        height: metres above the ground of what casts it, (rows, cols).
        ground_res: metres per pixel.
        reach: the longest shadow, pixels.
    """
    step = np.array(TO_SUN[:2]) / max(map(abs, TO_SUN[:2]))
    drop = float(np.hypot(*step)) * ground_res * math.tan(_HEIGHT)
    ray = np.full_like(height, -1.0)
    for distance in range(1, reach + 1):
        cols, rows = (round(float(part) * distance) for part in step)
        blocked = np.roll(height, (-rows, -cols), axis=(0, 1))
        np.maximum(ray, blocked - np.float32(distance * drop), out=ray)
    # A metre of penumbra: eaves and crowns are no knife's edges.
    return soften(np.clip(ray - height, 0, 1), 0.6)
