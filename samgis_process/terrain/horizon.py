"""Openness and sky-view factor: how high the horizon stands in sixteen directions.

Directions are those of the grid's cells, so cells should be about square, as Web Mercator's are.
Unknown cells hide nothing; a direction without any known cell does not count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from samgis_process.terrain.surface import Metres, Surface

DIRECTIONS = 16

Fold = Callable[[Metres, Metres], Metres]


def openness(surface: Surface, radius: int) -> Metres:
    """Return the mean zenith angle of the horizon, degrees; 90 on level ground, more on summits.

    Source: Yokoyama, Shirasawa and Pike 2002, "Visualizing topography by openness",
    Photogrammetric Engineering & Remote Sensing 68(3), 257-265; sixteen directions for eight.
    """
    return np.float32(90) - _mean(
        np.degrees(np.arctan(tan)) for tan in _tangents(surface, radius, np.fmax)
    )


def openness_negative(surface: Surface, radius: int) -> Metres:
    """Return the mean nadir angle of the ground, degrees; 90 on level ground, more in pits.

    Source: as `openness`, seen from below.
    """
    return np.float32(90) + _mean(
        np.degrees(np.arctan(tan)) for tan in _tangents(surface, radius, np.fmin)
    )


def sky_view(surface: Surface, radius: int) -> Metres:
    """Return the visible share of the sky's hemisphere, 0 to 1.

    Source: Zaksek, Ostir and Kokalj 2011, "Sky-view factor as a relief visualization technique",
    doi:10.3390/rs3020398, equation 1 with horizons at or above the level.
    """
    return np.float32(1) - _mean(_sine(tan) for tan in _tangents(surface, radius, np.fmax))


def _sine(tangent: Metres) -> Metres:
    up = np.maximum(tangent, 0)
    return np.divide(up, np.sqrt(1 + up * up), out=up)


def _mean(angles: Iterator[Metres]) -> Metres:
    """Return the mean over directions, of those that are known."""
    first = next(angles)
    known = np.isfinite(first)
    total, count = np.where(known, first, np.float32(0)), known.astype(np.float32)
    for angle in angles:
        known = np.isfinite(angle)
        np.add(total, angle, out=total, where=known)
        count += known
    with np.errstate(invalid="ignore"):
        return np.divide(total, count, out=total)


def _tangents(surface: Surface, radius: int, fold: Fold) -> Iterator[Metres]:
    """Yield for each direction the steepest (or lowest) sight, as rise per metre; NaN: unknown.

    `radius` cells less on each side than came in.
    """
    z, (rows, cols) = surface.elevation, surface.elevation.shape
    inner = slice(radius, -radius)
    here = z[inner, inner]
    dx, dy = (size[inner, None].astype(np.float64) for size in (surface.dx, surface.dy))
    for steps in _sights(radius):
        result = np.full(here.shape, np.nan, np.float32)
        for east, south in steps:
            there = z[radius + south : rows - radius + south, radius + east : cols - radius + east]
            rise = there - here
            rise *= (1 / np.hypot(east * dx, south * dy)).astype(np.float32)
            fold(result, rise, out=result)  # type: ignore[call-arg]  # a ufunc
        yield result


def _sights(radius: int) -> Iterator[list[tuple[int, int]]]:
    """Yield for each direction the cells along it, as (east, south), each once."""
    for number in range(DIRECTIONS):
        turn = 2 * math.pi * number / DIRECTIONS
        yield list(
            dict.fromkeys(
                (round(reach * math.sin(turn)), -round(reach * math.cos(turn)))
                for reach in range(1, radius + 1)
            )
        )
