"""Openness and sky-view factor: how high the horizon stands in sixteen directions.

Directions are those of the grid's cells, so cells should be about square, as Web Mercator's are.
Unknown cells hide nothing; a direction without any known cell does not count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from samgis_process.terrain.surface import Metres, Surface

DIRECTIONS = 16

Fold = Callable[[Metres, Metres], Metres]


def openness(surface: Surface, radius: int) -> Metres:
    """Return the mean zenith angle of the horizon, degrees; 90 on level ground, more on summits.

    Source: Yokoyama, Shirasawa and Pike 2002, "Visualizing topography by openness",
    Photogrammetric Engineering & Remote Sensing 68(3), 257-265; sixteen directions for eight.
    """
    return np.float32(90) - _mean_angle(surface, radius, np.fmax)


def openness_negative(surface: Surface, radius: int) -> Metres:
    """Return the mean nadir angle of the ground, degrees; 90 on level ground, more in pits.

    Source: as `openness`, seen from below.
    """
    return np.float32(90) + _mean_angle(surface, radius, np.fmin)


def sky_view(surface: Surface, radius: int) -> Metres:
    """Return the visible share of the sky's hemisphere, 0 to 1.

    Source: Zaksek, Ostir and Kokalj 2011, "Sky-view factor as a relief visualization technique",
    doi:10.3390/rs3020398, equation 1 with horizons at or above the level.
    """
    return np.float32(1) - _mean(_sine(tan) for tan in _tangents(surface, radius, np.fmax))


def _mean_angle(surface: Surface, radius: int, fold: Fold) -> Metres:
    """Return the mean elevation angle of the highest (or lowest) sights, degrees."""
    return np.degrees(_mean(np.arctan(tan, out=tan) for tan in _tangents(surface, radius, fold)))


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
        if known.all():  # as a rule, and three times as fast
            total += angle
            count += 1
        else:
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

    def seen(cell: _Cell) -> Metres:
        east, south = cell
        return z[radius + south : rows - radius + south, radius + east : cols - radius + east]

    rise, beside = np.empty_like(here), np.empty_like(here)
    for direction in _directions(radius):
        result = np.full(here.shape, np.nan, np.float32)
        for step, sight in enumerate(direction.sights, 1):
            near = seen(sight.near)
            np.subtract(near, here, out=rise)
            if sight.share:
                # Differences of heights: sums of them would depend on the sea level.
                np.subtract(seen(sight.far), near, out=beside)
                beside *= np.float32(sight.share)
                rise += beside
            rise *= np.float32(1 / step)
            fold(result, rise, out=result)  # type: ignore[call-arg]  # a ufunc
        metres = np.hypot(direction.east * dx, direction.south * dy)
        result *= (1 / metres).astype(np.float32)
        yield result


_Cell = tuple[int, int]  # so many cells east and south


class _Sight(NamedTuple):
    """A point on a line of sight, between two cells of a row or column.

    On the line, not in the cell nearest to it: that lies up to 22 degrees beside it, and the
    highest of such cells would make an even slope of 30 degrees 2 degrees less open than it is.
    """

    near: _Cell  # the one nearer to the axis, so that mirrored ground has mirrored sights
    far: _Cell
    share: float  # of the far one


class _Direction(NamedTuple):
    """A line of sight and, after each of equal steps of (east, south) cells, a point on it."""

    east: float
    south: float
    sights: list[_Sight]


def _directions(radius: int) -> Iterator[_Direction]:
    """Yield them clockwise from north."""
    for number in range(DIRECTIONS):
        turn = 2 * math.pi * number / DIRECTIONS
        east, south = math.sin(turn), -math.cos(turn)
        longer = max(abs(east), abs(south))
        east, south = east / longer, south / longer
        steps = range(1, max(1, round(radius * longer)) + 1)
        yield _Direction(east, south, [_sight(step * east, step * south) for step in steps])


def _sight(east: float, south: float) -> _Sight:
    """Return the point; one of its distances is whole but for rounding."""
    near_east, far_east, share_east = _between(east)
    near_south, far_south, share_south = _between(south)
    return _Sight((near_east, near_south), (far_east, far_south), max(share_east, share_south))


def _between(along: float) -> tuple[int, int, float]:
    """Return the whole steps on both sides of a distance, and the share of the farther one."""
    distance = round(abs(along), 9)
    near = math.floor(distance)
    share = distance - near
    sign = -1 if along < 0 else 1
    return sign * near, sign * (near + bool(share)), share
