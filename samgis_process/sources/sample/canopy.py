"""Trees: crowns standing in woods, along hedges and by houses, as a height and a tone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from samgis_process.sources.sample.noise import Floats
from samgis_process.sources.sample.shape import SIDE, Shape

SPACING = 4.6  # px, 8 m between stems: an old broad-leaved wood
HEDGED = 0.36  # part of the fields
RADII = np.arange(1.4, 4.9, 0.25)  # px


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Stems.

    Attributes:
        at: scene pixels (col, row), one row a tree.
        radius: of the crown, pixels.
    """

    at: NDArray[np.float64]
    radius: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Canopy:
    """What the crowns are seen from above, (SIDE, SIDE).

    Attributes:
        height: metres above the ground, 0 where no crown is.
        tone: -1..1, from dark to light trees; 0 where no crown is.
    """

    height: Floats
    tone: Floats


def in_wood(outline: Polygon, rng: np.random.Generator) -> Trees:
    """Return trees that fill `outline`; the outer crowns reach to its edge, about."""
    left, top, right, bottom = outline.bounds
    cols, rows = np.meshgrid(np.arange(left, right, SPACING), np.arange(top, bottom, SPACING))
    at = np.column_stack([cols.ravel(), rows.ravel()])
    at[:, 0] += np.round((at[:, 1] - top) / SPACING) % 2 * SPACING / 2
    at += rng.normal(0, 0.9, at.shape)
    inside = shapely.contains_xy(outline.buffer(-1.6), at[:, 0], at[:, 1])
    radius = rng.gamma(16, 3.1 / 16, int(inside.sum()))
    return Trees(at[inside], radius)


def along_edges(fields: list[Shape], clear: BaseGeometry, rng: np.random.Generator) -> Trees:
    """Return the trees of hedges: along parts of fields, not in `clear`."""
    spots = []
    for field in fields:
        edge = field.outline.buffer(3.6).exterior
        start, hedge = rng.uniform(0, edge.length), rng.random() < HEDGED
        length = edge.length * rng.uniform(0.15, 0.45) * hedge
        along = start + np.arange(0, length, 3.0) + rng.normal(0, 0.8, math.ceil(length / 3))
        spots += [edge.interpolate(s % edge.length).coords[0] for s in along]
    at = np.array(spots) + rng.normal(0, 0.5, (len(spots), 2))
    at = at[~shapely.contains_xy(clear, at[:, 0], at[:, 1])]
    return Trees(at, rng.gamma(9, 2.0 / 9, len(at)))


def scattered(outline: BaseGeometry, count: int, rng: np.random.Generator) -> Trees:
    """Return at most `count` single trees inside `outline`."""
    left, top, right, bottom = outline.bounds
    at = rng.uniform((left, top), (right, bottom), (count, 2))
    inside = shapely.contains_xy(outline, at[:, 0], at[:, 1])
    return Trees(at[inside], rng.gamma(9, 2.3 / 9, int(inside.sum())))


def grow(stands: list[Trees], rng: np.random.Generator) -> Canopy:
    """Return the canopy of all `stands`, the taller crown before the lower one."""
    height, tone = (np.zeros((SIDE, SIDE), np.float32) for _ in range(2))
    domes = [_dome(radius) for radius in RADII]
    for stand in stands:
        sizes = np.clip(np.searchsorted(RADII, stand.radius), 0, len(RADII) - 1)
        tones = rng.normal(0, 0.5, len(sizes)).clip(-1, 1).astype(np.float32)
        for (col, row), size, own in zip(stand.at.astype(int), sizes, tones, strict=True):
            _stamp(height, tone, (int(col), int(row)), domes[size], own)
    return Canopy(height, tone)


def _dome(radius: float) -> Floats:
    """Return a crown seen as heights, metres: round above, 2.2 times as high as wide."""
    reach = math.ceil(radius)
    rows, cols = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    part = np.clip(1 - (cols**2 + rows**2) / (radius + 0.3) ** 2, 0, 1)
    return np.asarray(radius * (0.9 + 2.6 * np.sqrt(part)) * (part > 0), np.float32)


def _stamp(
    height: Floats, tone: Floats, at: tuple[int, int], dome: Floats, own: np.float32
) -> None:
    reach = dome.shape[0] // 2
    if not all(reach <= position < SIDE - reach for position in at):
        return
    rows, cols = (slice(p - reach, p + reach + 1) for p in (at[1], at[0]))
    higher = dome > height[rows, cols]
    height[rows, cols][higher] = dome[higher]
    tone[rows, cols][higher] = own
