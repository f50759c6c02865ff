"""Renderings that the study led to: height against wide surroundings, shaded by slope.

No sun: light from all sides leaves only the slope, so that both flanks of one hill look alike. And
no statistics but the height's own: slopes are measured against the slope of an even plane whose
heights would spread as much. A colour depends on the `radius` cells around its pixel alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from models.evaluation.landforms.scene import HALO
from samgis_process.terrain import Surface
from samgis_process.terrain.gradient import horn, steepness
from samgis_process.terrain.position import position

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ramp = tuple[tuple[float, tuple[int, int, int]], ...]

RADIUS = 96  # cells
LEAST = 0.02  # of the radius: surroundings that spread less count as flat
PLANE = 0.41  # spread of a plane under the pyramid of weights, of slope x radius
# From dark water to white summits. Brightness falls again above the middle: a second edge there
# follows the contour of a landform's upper part.
RAMP: Ramp = (
    (-1.0, (70, 110, 90)),
    (-0.5, (110, 150, 90)),
    (0.0, (200, 195, 130)),
    (0.5, (180, 130, 90)),
    (1.0, (245, 240, 235)),
)
SHADE = 0.8  # darkest for a cliff
BLEND = (0.8, -0.4, 0.1)  # of height, slope and curvature, in green
SIGMA = 4.0  # cells, of the curvature


class Lie(NamedTuple):
    """Height in the surroundings, -1 to 1; steepness, 0 to 1; slope of the surroundings."""

    height: Floats
    steep: Floats
    slope: Floats


def lie(surface: Surface, radius: int = RADIUS) -> Lie:
    """Return how the cells of a window lie, given its surface with `HALO` cells around it."""
    near = surface.trimmed(HALO - radius)
    height, spread = position(near, radius)
    scale = np.float32(radius * surface.resolution)
    squashed = height / (2 * np.sqrt(spread**2 + height**2 / 4 + (LEAST * scale) ** 2))
    slope = spread / (PLANE * scale)
    tangent = steepness(horn(surface.trimmed(HALO - 1)))
    steep = tangent / (tangent + 2 * slope + LEAST)
    level = np.asarray(np.clip(1.25 * squashed, -1, 1), np.float32)
    return Lie(level, np.asarray(steep, np.float32), np.asarray(slope, np.float32))


def relief(surface: Surface, ramp: Ramp = RAMP, radius: int = RADIUS) -> Image:
    """Return heights as tints, darker where it is steep."""
    found = lie(surface, radius)
    at, colours = [stop for stop, _ in ramp], np.array([colour for _, colour in ramp])
    tints = [np.interp(found.height, at, colours[:, channel]) for channel in range(3)]
    return _levels([tint * (1 - SHADE * found.steep) for tint in tints])


def terrain(surface: Surface, blend: Sequence[float] = BLEND) -> Image:
    """Return height, a blend of all, and signed curvature as red, green and blue; 128 is flat."""
    found = lie(surface)
    bulge = _bulge(surface)
    bulge /= np.abs(bulge) + found.slope + LEAST / 4
    green = blend[0] * found.height + blend[1] * found.steep + blend[2] * bulge
    return _levels([128 + 127 * level for level in (found.height, green, bulge)])


def _bulge(surface: Surface) -> Floats:
    """Return the change of slope over `SIGMA` cells, positive where the ground bulges."""
    # Not a sampled Laplacian of a Gaussian: its weights do not sum to zero, and level ground
    # would bend by its height.
    soft = ndimage.gaussian_filter(surface.elevation.astype(np.float64), SIGMA)
    bent = ndimage.laplace(soft)
    inner = slice(HALO, -HALO)
    bent = np.nan_to_num(bent[inner, inner])
    return np.asarray(-bent * SIGMA / surface.resolution, np.float32)


def _levels(channels: Sequence[NDArray[np.floating]]) -> Image:
    image = np.clip(np.nan_to_num(np.stack(channels, axis=-1)), 0, 255)
    return np.asarray(np.rint(image), np.uint8)
