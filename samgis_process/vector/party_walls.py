"""Walls between neighbours: found where two face each other closely, and put on one line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from samgis_process.vector.walls import NoWalls, Places, Wall, turned, vertices

FACING = math.cos(math.radians(10))  # two walls face each other if they are this much opposite
ON_IT = 1e-6  # px; a vertex this close to an edge lies on it


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How an object is to be drawn.

    Attributes:
        angle: of the frame in which its walls are square, radians.
        tolerance: how far walls of two neighbours lie apart at most that are one.
        parts: the rings of each part: as walls, or as they are where they have none.
    """

    angle: float
    tolerance: float
    parts: list[list[list[Wall] | Places]]


@dataclass(slots=True, eq=False)
class _Placed:
    """A wall of one of the plans, and where it begins and ends in the plan's frame."""

    plan: int
    angle: float
    place: tuple[int, int, int]  # part, ring, number in the ring
    wall: Wall
    ends: Places

    @property
    def middle(self) -> Places:
        return self.ends.mean(axis=0)


def groups_of(shapes: Sequence[BaseGeometry], reaches: Sequence[float]) -> list[list[int]]:
    """Return which shapes stand together: each closer to another than the reach of either."""
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="dwithin", distance=reaches)
    return _components(len(shapes), zip(left.tolist(), right.tolist(), strict=True))


def _components(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the groups that pairs of numbers below `count` make, each in ascending order."""
    group = list(range(count))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = i = group[group[i]]
        return i

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        group[high] = low
    found: dict[int, list[int]] = {}
    for i in range(count):
        found.setdefault(root(i), []).append(i)
    return list(found.values())


def bordering(shapes: Sequence[BaseGeometry]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of shapes that have a border in common."""
    tree = shapely.STRtree(shapes)
    for i, j in zip(*tree.query(shapes, predicate="intersects").tolist(), strict=True):
        if i < j and border(shapes[i], shapes[j]) > 0:
            yield i, j


def border(one: BaseGeometry, other: BaseGeometry) -> float:
    """Return the length of what two shapes have in common of their borders."""
    return float(shapely.intersection(one.boundary, other.boundary, grid_size=ON_IT).length)


def on_common_lines(plans: Sequence[Plan]) -> list[Plan]:
    """Return the plans with the walls that face each other closely put on one line."""
    placed = [wall for number, plan in enumerate(plans) for wall in _placed(number, plan)]
    if not placed:
        return [*plans]
    reach = max(plan.tolerance for plan in plans)
    facing = [(i, j) for i, j in _close(placed, reach) if _face(placed[i], placed[j], plans)]
    moved = [[[_copy(ring) for ring in part] for part in plan.parts] for plan in plans]
    for cluster in _components(len(placed), facing):
        for i, wall in _one_line(placed, cluster):
            part, ring, number = placed[i].place
            walls = moved[placed[i].plan][part][ring]
            if isinstance(walls, list):
                walls[number] = wall
    return [replace(plan, parts=parts) for plan, parts in zip(plans, moved, strict=True)]


def _close(placed: Sequence[_Placed], reach: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs of walls that come closer than `reach` somewhere."""
    lines = [shapely.LineString(turned(one.ends, one.angle)) for one in placed]
    pairs = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=reach)
    for i, j in pairs.T.tolist():
        if i < j:
            yield i, j


def _copy(ring: list[Wall] | Places) -> list[Wall] | Places:
    return [*ring] if isinstance(ring, list) else ring


def _placed(plan_number: int, plan: Plan) -> Iterator[_Placed]:
    for p, part in enumerate(plan.parts):
        for r, ring in enumerate(part):
            if not isinstance(ring, list):
                continue
            try:
                begins = vertices(ring)
            except NoWalls:
                continue
            ends = np.stack([begins, np.roll(begins, -1, axis=0)], axis=1)
            for number, wall in enumerate(ring):
                yield _Placed(plan_number, plan.angle, (p, r, number), wall, ends[number])


def _face(one: _Placed, other: _Placed, plans: Sequence[Plan]) -> bool:
    """Return whether two walls of different objects look like the two sides of one."""
    plan, neighbour = plans[one.plan], plans[other.plan]
    if one.plan == other.plan or plan.angle != neighbour.angle:
        return False
    normal = np.array(one.wall.normal)
    if normal @ other.wall.normal > -FACING:
        return False
    most = max(plan.tolerance, neighbour.tolerance)
    if abs(float(other.middle @ normal) - one.wall.offset) > most:
        return False
    along = np.array([normal[1], -normal[0]])
    (a, b), (c, d) = np.sort(one.ends @ along), np.sort(other.ends @ along)
    return bool(min(b, d) > max(a, c))


def _one_line(placed: Sequence[_Placed], cluster: Sequence[int]) -> Iterator[tuple[int, Wall]]:
    """Yield each wall of a cluster on the line that stands for all."""
    if len(cluster) < 2:
        return
    first = placed[cluster[0]].wall
    normals = np.array([placed[i].wall.normal for i in cluster])
    signs = np.sign(normals @ first.normal)
    weights = np.array([placed[i].wall.weight for i in cluster])
    square = [i for i in cluster if placed[i].wall.axis != "slanting"]
    normal = _mean_normal(normals * signs[:, None], weights)
    if square:
        normal = np.array(placed[square[0]].wall.normal) * signs[cluster.index(square[0])]
    offsets = np.array([float(placed[i].middle @ normal) for i in cluster])
    offset = float(offsets @ weights / weights.sum())
    for i, sign in zip(cluster, signs.tolist(), strict=True):
        wall = placed[i].wall
        x, y = (normal * sign).tolist()
        yield i, replace(wall, normal=(x, y), offset=offset * sign)


def _mean_normal(normals: NDArray[np.float64], weights: NDArray[np.float64]) -> Places:
    mean = (normals * weights[:, None]).sum(axis=0)
    normal: Places = mean / np.hypot(*mean)
    return normal


def noded(shapes: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """Return the shapes with a vertex wherever another one's lies on an edge.

    Rounded to a grid, a border of two is then still the same line in both.
    """
    if len(shapes) < 2:
        return [*shapes]
    every = np.unique(shapely.get_coordinates(list(shapes)), axis=0)
    tree = shapely.STRtree([shapely.Point(at) for at in every])
    return [_with_vertices(shape, tree) for shape in shapes]


def _with_vertices(shape: BaseGeometry, tree: shapely.STRtree) -> BaseGeometry:
    near = tree.query(shape.boundary, predicate="dwithin", distance=ON_IT)
    places = shapely.get_coordinates(tree.geometries[near])

    def ring(line: shapely.LinearRing) -> Places:
        own = shapely.get_coordinates(line)
        return np.concatenate([_split(*edge, places) for edge in pairwise(own)])

    parts = [
        shapely.Polygon(ring(part.exterior), [ring(hole) for hole in part.interiors])
        for part in shapely.get_parts(shape).tolist()
    ]
    if shapely.count_coordinates(parts) == shapely.count_coordinates(shape):
        return shape
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _split(start: Places, stop: Places, places: Places) -> Places:
    """Return `start` and those of `places` that lie on the edge from there to `stop`, in order."""
    along = stop - start
    length = float(np.hypot(*along))
    if length == 0:
        return start[None]
    unit = along / length
    share = (places - start) @ unit
    off = np.abs((places - start) @ np.array([-unit[1], unit[0]]))
    on_it = (off <= ON_IT) & (share > ON_IT) & (share < length - ON_IT)
    return np.vstack([start, places[on_it][np.argsort(share[on_it])]])
