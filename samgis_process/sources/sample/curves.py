"""Curves and rectangles of the drawn landscape, in scene pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from shapely.affinity import rotate, translate
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

Points = Sequence[tuple[float, float]]


def blob(
    centre: tuple[float, float],
    radii: tuple[float, float],
    rng: np.random.Generator,
    wobble: float = 0.10,
    angle_deg: float = 0.0,
) -> Polygon:
    """Return a smooth closed outline: an ellipse with `wobble` of its radius in and out.

    Args:
        centre: col, row.
        radii: half axes, pixels, before the turn by `angle_deg` (clockwise on the picture).
        rng: draws the phases of the lobes.
        wobble: standard size of the second to seventh harmonic, as a part of the radius.
    """
    turn = np.linspace(0, 2 * math.pi, 160, endpoint=False)
    orders = np.arange(2, 8)
    phases = rng.uniform(0, 2 * math.pi, orders.size)
    lobes = np.cos(orders * turn[:, None] + phases) / orders
    reach = 1 + 2 * wobble * lobes.sum(axis=1)
    cols, rows = radii[0] * reach * np.cos(turn), radii[1] * reach * np.sin(turn)
    ellipse = Polygon(np.column_stack([cols, rows]))
    return translate(rotate(ellipse, angle_deg, origin=(0, 0)), *centre)


def spline(points: Points, steps: int = 12) -> LineString:
    """Return a smooth line through `points` (Catmull-Rom), ends repeated."""
    knots = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = [_segment(knots[i : i + 4], t) for i in range(len(points) - 1)]
    return LineString(np.vstack([*pieces, knots[-1:]]))


def _segment(k: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    # Catmull and Rom 1974, in the uniform form with tension 1/2.
    linear, square = k[2] - k[0], 2 * k[0] - 5 * k[1] + 4 * k[2] - k[3]
    cube = 3 * k[1] - k[0] - 3 * k[2] + k[3]
    return np.asarray(k[1] + 0.5 * (linear * t + square * t**2 + cube * t**3), np.float64)


def meander(line: LineString, swing: float, wavelength: float) -> LineString:
    """Return `line` with bends of `swing` pixels to either side, none at its ends."""
    along = np.arange(0, line.length, 6.0)
    here = np.array([line.interpolate(s).coords[0] for s in along])
    ahead = np.gradient(here, axis=0)
    normal = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.hypot(*ahead.T)[:, None]
    fade = np.clip(np.minimum(along, line.length - along) / wavelength, 0, 1)
    phase = 2 * math.pi * along / wavelength
    # Two waves whose ratio is no fraction: bends that never repeat.
    bend = np.sin(phase) + 0.5 * np.sin(1.62 * phase + 1.0)
    return LineString(here + normal * (swing * fade * bend)[:, None])


def rectangle(centre: tuple[float, float], size: tuple[float, float], angle_deg: float) -> Polygon:
    """Return a rectangle of `size` (length, width) around `centre`, turned clockwise."""
    length, width = size
    flat = box(-length / 2, -width / 2, length / 2, width / 2)
    return translate(rotate(flat, angle_deg, origin=(0, 0)), *centre)


def polygons(geometry: BaseGeometry) -> list[Polygon]:
    """Return the polygons of `geometry` above a pixel in area, largest first."""
    parts = [part for part in getattr(geometry, "geoms", [geometry]) if isinstance(part, Polygon)]
    return sorted((part for part in parts if part.area > 1), key=lambda part: -part.area)


def largest(geometry: BaseGeometry) -> Polygon:
    """Return the largest polygon of `geometry`; an empty one if it has none."""
    return next(iter(polygons(geometry)), Polygon())
