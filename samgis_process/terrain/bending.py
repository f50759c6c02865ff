"""Curvature from the partial quartic surface through a 3 x 3 neighbourhood.

One sign convention for all three: positive where the ground bulges (ridge, spur, summit), negative
where it is hollow (valley, hollow, pit), in 1/m. They are second derivatives along a direction in
the map, without the slope's foreshortening: profile + plan = curvature.

Source: Zevenbergen and Thorne 1987, "Quantitative analysis of land surface topography",
doi:10.1002/esp.3290120107, equations 4 to 8 for the coefficients; their letters are kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from samgis_process.terrain.gradient import LEVEL
from samgis_process.terrain.surface import Metres, Surface


class _Coefficients(NamedTuple):
    d: Metres  # half the second derivative towards east
    e: Metres  # half the second derivative towards north
    f: Metres  # the mixed one, east and north
    g: Metres  # rise per metre towards east
    h: Metres  # rise per metre towards north


def _fit(surface: Surface) -> _Coefficients:
    z, inner = surface.elevation, slice(1, -1)
    dx, dy = surface.dx[inner, None], surface.dy[inner, None]
    here = z[inner, inner]
    east, west = z[inner, 2:] - here, z[inner, :-2] - here
    north, south = z[:-2, inner] - here, z[2:, inner] - here
    twisted = (z[:-2, 2:] - z[:-2, :-2]) - (z[2:, 2:] - z[2:, :-2])
    return _Coefficients(
        (east + west) / (2 * dx * dx),
        (north + south) / (2 * dy * dy),
        twisted / (4 * dx * dy),
        (east - west) / (dx + dx),
        (north - south) / (dy + dy),
    )


def curvature(surface: Surface) -> Metres:
    """Return the total curvature, 1/m: minus the Laplacian of the elevation."""
    z, inner = surface.elevation, slice(1, -1)
    here = z[inner, inner]
    across = (z[inner, 2:] - here) + (z[inner, :-2] - here)
    along = (z[:-2, inner] - here) + (z[2:, inner] - here)
    across /= surface.dx[inner, None] ** 2
    along /= surface.dy[inner, None] ** 2
    across += along
    return np.negative(across, out=across)


def profile_curvature(surface: Surface) -> Metres:
    """Return the curvature along the steepest descent, 1/m.

    Positive where the ground gets steeper downhill. On level ground, where no direction is the
    steepest, half the total curvature.
    """
    d, e, f, g, h = _fit(surface)
    return _directed(d * g * g + e * h * h + f * g * h, d, e, g * g + h * h)


def plan_curvature(surface: Surface) -> Metres:
    """Return the curvature across the steepest descent, 1/m.

    Positive where water would spread (a spur), negative where it would gather (a hollow).
    """
    d, e, f, g, h = _fit(surface)
    return _directed(d * h * h + e * g * g - f * g * h, d, e, g * g + h * h)


def _directed(numerator: Metres, d: Metres, e: Metres, squared: Metres) -> Metres:
    level = squared < LEVEL
    squared[level] = 1
    result: Metres = np.where(level, -(d + e), -2 * numerator / squared)
    return result
