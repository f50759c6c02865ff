"""Right angles for buildings: outlines redrawn with walls square to their main direction.

Objects that stand wall to wall are redrawn together: they get one direction, and where two of
their walls face each other closer than the tolerance, one line. What is not made of walls, or
would become another shape, stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from samgis_process.vector.contours import only_area
from samgis_process.vector.party_walls import (
    Plan,
    border,
    bordering,
    groups_of,
    noded,
    on_common_lines,
)
from samgis_process.vector.walls import (
    NoWalls,
    Places,
    Wall,
    direction,
    runs_of,
    turned,
    vertices,
    walls_of,
)

CLEAR = 0.5  # how clear a direction must be: 1 for a rectangle, 0 for a circle
ALIKE = 0.85  # least IoU with the outline before
SAME_AREA = 0.1  # most change of the area, as a share
TOLERANCE = 0.06  # share of the root of the area: how far outlines of walls are off
MOST_CELLS = 1.5  # and at most so many cells of the mask
TURN = math.radians(6)  # neighbours that differ by more have directions of their own
ROUNDS = 5  # a round may bring to light what the one before has straightened
SETTLED = 1e-6  # px
KEPT = 0.6  # share of a common border's length that is left when it is straightened


def orthogonalized(shapes: Sequence[BaseGeometry], cell: float = 1.0) -> list[BaseGeometry]:
    """Return polygons redrawn with right angles, in their order; valid ones if they were.

    Args:
        shapes: in pixels, or any unit in which angles are true. They may share borders, which
            they then still do.
        cell: size of the mask's cells in the same unit: how coarse an outline can be.
    """
    redrawn = iter(_settled([shape for shape in shapes if not shape.is_empty], cell))
    return [shape if shape.is_empty else next(redrawn) for shape in shapes]


def _settled(shapes: Sequence[BaseGeometry], cell: float) -> list[BaseGeometry]:
    """Redraw shapes until that changes nothing."""
    drawn = list(shapes)
    for _ in range(ROUNDS if shapes else 0):
        before, drawn = drawn, _once(drawn, cell)
        pairs = zip(shapes, drawn, strict=True)
        drawn = [new if new is old or _is_alike(old, new) else old for old, new in pairs]
        drawn = _unparted(shapes, drawn)
        if all(_equal(*pair) for pair in zip(before, drawn, strict=True)):
            break
    return drawn


def _equal(one: BaseGeometry, other: BaseGeometry) -> bool:
    return bool(shapely.equals_exact(one, other, SETTLED))


def _once(shapes: Sequence[BaseGeometry], cell: float) -> list[BaseGeometry]:
    """Redraw each group of neighbours."""
    drawn = list(shapes)
    reaches = [_tolerance(shape, cell) for shape in shapes]
    for group in groups_of(shapes, reaches):
        together = _together([_Object.of(shapes[i], reaches[i]) for i in group])
        for i, new in zip(group, together, strict=True):
            drawn[i] = new
    return drawn


def _tolerance(shape: BaseGeometry, cell: float) -> float:
    return min(TOLERANCE * math.sqrt(shape.area), MOST_CELLS * cell)


@dataclass(frozen=True, slots=True, eq=False)
class _Object:
    """An outline, read: its parts, each as rings with the area on their left, outer ring first.

    Attributes:
        runs: the straight stretches of its outer rings, (n, 2).
        angle: the direction of its walls, radians; None where they have none.
    """

    shape: BaseGeometry
    tolerance: float
    parts: list[list[Places]]
    runs: Places
    angle: float | None

    @classmethod
    def of(cls, shape: BaseGeometry, tolerance: float) -> _Object:
        parts = [
            [shapely.get_coordinates(ring)[:-1] for ring in (part.exterior, *part.interiors)]
            for part in shapely.get_parts(shapely.orient_polygons(shape))
        ]
        runs = np.concatenate([np.empty((0, 2)), *(runs_of(part[0], tolerance) for part in parts)])
        angle, clear = direction(runs) if len(runs) else (0.0, 0.0)
        return cls(shape, tolerance, parts, runs, angle if clear >= CLEAR else None)

    def plan(self, common: float) -> Plan | None:
        """Return its walls, square to the common direction or to its own, or None."""
        if self.angle is None:
            return None
        off = (self.angle - common + math.pi / 4) % (math.pi / 2) - math.pi / 4
        angle = common if abs(off) <= TURN else self.angle
        size = math.sqrt(self.shape.area)
        parts = [
            [_walls(turned(ring, -angle), self.tolerance, size) for ring in part]
            for part in self.parts
        ]
        return Plan(angle, self.tolerance, parts)


def _walls(ring: Places, tolerance: float, size: float) -> list[Wall] | Places:
    """Return the walls of a ring, or the ring itself where it has none."""
    try:
        return walls_of(ring, tolerance, size)
    except NoWalls:
        return ring


def _together(objects: Sequence[_Object]) -> list[BaseGeometry]:
    """Return neighbours redrawn, those that can be."""
    runs = [one.runs for one in objects if one.angle is not None]
    if not runs:
        return [one.shape for one in objects]
    common, _ = direction(np.concatenate(runs))
    plans = {i: plan for i, one in enumerate(objects) if (plan := one.plan(common))}
    shared = dict(zip(plans, on_common_lines([*plans.values()]), strict=True))
    drawn = [
        _first_alike(one.shape, *(made[i] for made in (shared, plans) if i in made))
        for i, one in enumerate(objects)
    ]
    return noded(drawn)


def _first_alike(shape: BaseGeometry, *plans: Plan) -> BaseGeometry:
    """Return what the first plan that does makes of a shape, or the shape."""
    drawn = (_drawn(plan) for plan in plans)
    return next((one for one in drawn if one and _is_alike(shape, one)), shape)


def _drawn(plan: Plan) -> BaseGeometry | None:
    """Return the polygons of a plan, if they are any."""
    try:
        parts = [
            [
                turned(vertices(ring) if isinstance(ring, list) else ring, plan.angle)
                for ring in part
            ]
            for part in plan.parts
        ]
    except NoWalls:
        return None
    polygons = [shapely.Polygon(outer, holes) for outer, *holes in parts]
    if not all(polygon.is_valid for polygon in polygons):
        return None
    whole = only_area(shapely.MultiPolygon(polygons))
    return whole if whole.is_valid else None


def _is_alike(old: BaseGeometry, new: BaseGeometry) -> bool:
    if new.is_empty or abs(new.area / old.area - 1) > SAME_AREA:
        return False
    both = shapely.intersection(old, new).area
    return both >= ALIKE * (old.area + new.area - both)


def _unparted(shapes: Sequence[BaseGeometry], drawn: list[BaseGeometry]) -> list[BaseGeometry]:
    """Return the drawn ones, but the old ones of those that would lose a common border."""
    drawn = list(drawn)
    pairs = list(bordering(shapes))
    while lost := [pair for pair in pairs if _is_lost(*pair, shapes, drawn)]:
        for i in {i for pair in lost for i in pair}:
            drawn[i] = shapes[i]
    return drawn


def _is_lost(
    i: int, j: int, shapes: Sequence[BaseGeometry], drawn: Sequence[BaseGeometry]
) -> bool:
    if drawn[i] is shapes[i] and drawn[j] is shapes[j]:
        return False
    over = shapely.intersection(drawn[i], drawn[j]).area
    if over > shapely.intersection(shapes[i], shapes[j]).area + SETTLED:
        return True
    return border(drawn[i], drawn[j]) < KEPT * border(shapes[i], shapes[j])
