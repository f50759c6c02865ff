"""A ring as a chain of straight walls: most of them square to one direction, some slanting.

A wall lies on a line `normal @ xy = offset`. Along a ring, the area is on the left of each wall
and its normal points to the left too, so two areas that share a wall have opposite normals there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Axis = Literal["across", "along", "slanting"]
Places = NDArray[np.float64]  # (n, 2)

SQUARE = math.radians(22.5)  # a wall that is off by less was meant to be square
NARROWING = (SQUARE, math.radians(10), math.radians(5))  # walls that a direction is taken from
FITTED = 4  # steps from which a line fits them better than one from end to end
SLANT = 4.0  # tolerances that a wall must be long to slant; shorter ones are cut corners
SLANT_SHARE = 0.25  # and the share of the root of the area
PARALLEL = math.radians(15)  # walls that differ by less meet nowhere near


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall in the frame of its ring's direction.

    Attributes:
        normal: of length 1; along an axis unless the wall is slanting.
        weight: length of the outline that it stands for.
    """

    axis: Axis
    normal: tuple[float, float]
    offset: float
    weight: float


class _Stretch(NamedTuple):
    """A wall, and where it begins and ends in the ring that it was read from."""

    wall: Wall
    start: Places
    stop: Places


class NoWalls(Exception):
    """The ring is not made of walls."""


def direction(runs: Places) -> tuple[float, float]:
    """Return the direction that most runs are square to, radians, and how clear it is, 0 to 1.

    Angles count four times, so that opposite and square ones agree, and by the square of the
    length: long walls say more. Slanting ones then have no say.
    """
    weights = (runs**2).sum(axis=1)
    four = np.exp(4j * np.arctan2(runs[:, 1], runs[:, 0]))
    mean = (four * weights).sum() / weights.sum()
    clear = float(abs(mean))
    for reach in NARROWING:
        off = np.abs(np.angle(four * np.conj(mean))) / 4
        near = np.where(off <= reach, weights, 0.0)
        if near.any():
            mean = (four * near).sum() / near.sum()
    return float(np.angle(mean)) / 4, clear


def runs_of(ring: Places, tolerance: float) -> Places:
    """Return the straight stretches of a ring as vectors, (n, 2)."""
    return np.array([_run(stretch) for stretch in _stretches(ring, tolerance)])


def _run(stretch: Places) -> Places:
    """Return a vector as long as a stretch, along the line that fits it best."""
    chord: Places = stretch[-1] - stretch[0]
    length = math.hypot(*chord)
    across = np.array([-chord[1], chord[0]]) / length
    weights = _along(stretch, across)
    middles = (stretch[:-1] + stretch[1:]) / 2
    middles = middles - weights @ middles / weights.sum()
    (xx, xy), (_, yy) = (middles * weights[:, None]).T @ middles
    if np.count_nonzero(weights) < FITTED or not xx + yy:
        return chord
    angle = math.atan2(2 * xy, xx - yy) / 2
    return np.array([math.cos(angle), math.sin(angle)]) * length


def turned(places: Places, angle: float) -> Places:
    """Return places turned about the origin by an angle, radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    result: Places = places @ np.array([[cos, sin], [-sin, cos]])
    return result


def _stretches(ring: Places, tolerance: float) -> list[Places]:
    """Return what lies between the corners that are left when a ring is simplified."""
    rough = shapely.simplify(shapely.LinearRing(ring), tolerance)
    numbers = {(x, y): number for number, (x, y) in reversed([*enumerate(ring.tolist())])}
    kept = [numbers[x, y] for x, y in shapely.get_coordinates(rough)[:-1].tolist()]
    pieces = zip(kept, [*kept[1:], kept[0]], strict=True)
    twice = np.concatenate([ring, ring])
    return [twice[a : (b if b > a else b + len(ring)) + 1] for a, b in pieces]


def walls_of(ring: Places, tolerance: float, size: float) -> list[Wall]:
    """Return the walls of a ring, in order; none shorter than `tolerance` is left.

    Args:
        ring: vertices in a frame in which most walls are square, not closed, area on the left.
        size: root of the area that it belongs to.

    Raises:
        NoWalls: fewer than four are left.
    """
    least_slant = max(SLANT * tolerance, SLANT_SHARE * size)
    found = [
        _Stretch(wall, stretch[0], stretch[-1])
        for stretch in _stretches(ring, tolerance)
        if (wall := _wall(stretch, least_slant))
    ]
    return _without_jogs(_joined(found, tolerance), tolerance)


def _wall(stretch: Places, least_slant: float) -> Wall | None:
    """Return the wall that a stretch is, or None for a cut corner."""
    chord = stretch[-1] - stretch[0]
    length = math.hypot(*chord)
    angle = math.atan2(chord[1], chord[0])
    turns = round(angle / (math.pi / 2))
    if abs(angle - turns * math.pi / 2) <= SQUARE:
        normal = ((0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 0.0))[turns % 4]
        axis: Axis = "along" if turns % 2 else "across"
        return Wall(axis, normal, _offset(stretch, normal), length)
    if length < least_slant:
        return None
    normal = (-float(chord[1]) / length, float(chord[0]) / length)
    return Wall("slanting", normal, _offset(stretch, normal), length)


def _offset(stretch: Places, normal: tuple[float, float]) -> float:
    """Return where the line of a stretch lies."""
    middles = (stretch[:-1] + stretch[1:]) / 2 @ np.array(normal)
    weights = _along(stretch, np.array(normal))
    return float(middles @ weights / weights.sum())


def _along(stretch: Places, normal: Places) -> NDArray[np.float64]:
    """Return the lengths of the steps of a stretch; 0 for those of round corners, if it can be."""
    steps = np.diff(stretch, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    weights = np.where(np.abs(steps @ normal) <= math.sin(SQUARE) * lengths, lengths, 0.0)
    return weights if weights.any() else lengths


def _joined(found: Sequence[_Stretch], tolerance: float) -> list[Wall]:
    """Return walls of which no two neighbours are parallel: joined, or with one set between."""
    starts = (i for i in range(len(found)) if not _parallel(found[i - 1].wall, found[i].wall))
    first = next(starts, None)
    if first is None:
        raise NoWalls
    walls: list[Wall] = []
    end = found[first].start
    for wall, start, stop in [*found[first:], *found[:first]]:
        if not walls or not _parallel(walls[-1], wall):
            walls.append(wall)
        elif _are_steps(walls[-1], wall, tolerance):
            walls += [_step(walls[-1], wall, (end + start) / 2), wall]
        else:
            walls[-1] = _mean(walls[-1], wall)
        end = stop
    return walls


def _are_steps(one: Wall, other: Wall, tolerance: float) -> bool:
    square = one.axis == other.axis != "slanting" and one.normal == other.normal
    return square and abs(other.offset - one.offset) > tolerance


def _step(one: Wall, other: Wall, at: Places) -> Wall:
    """Return the wall through `at` that leads from one wall to a parallel one."""
    gap = other.offset - one.offset
    towards = np.array(one.normal) * math.copysign(1.0, gap)
    normal = (-float(towards[1]), float(towards[0]))
    axis: Axis = "along" if one.axis == "across" else "across"
    return Wall(axis, normal, float(at @ normal), abs(gap))


def _parallel(one: Wall, other: Wall) -> bool:
    (a, b), (c, d) = one.normal, other.normal
    return abs(a * d - b * c) < math.sin(PARALLEL)


def _mean(one: Wall, other: Wall) -> Wall:
    """Return a wall that stands for two parallel ones; a square one stays square."""
    if float(np.dot(one.normal, other.normal)) < 0:
        raise NoWalls  # it turns back on itself
    weight = one.weight + other.weight
    if one.axis == other.axis != "slanting":
        offset = (one.offset * one.weight + other.offset * other.weight) / weight
        return replace(one, offset=offset, weight=weight)
    kept = max(one, other, key=lambda wall: (wall.axis != "slanting", wall.weight))
    return replace(kept, weight=weight)


def _without_jogs(walls: list[Wall], tolerance: float) -> list[Wall]:
    """Take out the shortest wall and join its neighbours, until none is below `tolerance`."""
    nowhere = np.zeros(2)
    while len(walls) >= 4:
        lengths = _lengths(walls)
        shortest = int(lengths.argmin())
        if lengths[shortest] >= tolerance:
            return walls
        rest = [*walls[shortest + 1 :], *walls[:shortest]]
        walls = _joined([_Stretch(wall, nowhere, nowhere) for wall in rest], math.inf)
    raise NoWalls


def _lengths(walls: Sequence[Wall]) -> NDArray[np.float64]:
    """Return how long each wall is; below 0 where its neighbours meet it the wrong way round."""
    begins = vertices(walls)
    normals = np.array([wall.normal for wall in walls])
    forwards = np.column_stack([normals[:, 1], -normals[:, 0]])
    lengths: NDArray[np.float64] = ((np.roll(begins, -1, axis=0) - begins) * forwards).sum(axis=1)
    return lengths


def vertices(walls: Sequence[Wall]) -> Places:
    """Return where each wall begins: where it meets the one before it, (n, 2)."""
    normals = np.array([wall.normal for wall in walls])
    offsets = np.array([wall.offset for wall in walls])
    before, offsets_before = np.roll(normals, 1, axis=0), np.roll(offsets, 1)
    across = before[:, 0] * normals[:, 1] - before[:, 1] * normals[:, 0]
    if (np.abs(across) < math.sin(PARALLEL) / 2).any():
        raise NoWalls
    x = (offsets_before * normals[:, 1] - offsets * before[:, 1]) / across
    y = (offsets * before[:, 0] - offsets_before * normals[:, 0]) / across
    return np.column_stack([x, y])
