"""Drawn landforms: exact outlines in rough, sloping ground, at cells from 1 to 250 m."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from models.evaluation.landforms.scene import HALO, Bools, Floats, Labels, Scene
from models.evaluation.landforms.shapes import KINDS, Form, Place, Random
from samgis_process.sources.sample.noise import fractal, soften

SEED = 31
ASKED = 2  # of a window
EQUATOR_M = 156543.0339  # ground size of a Web Mercator pixel at zoom 0
COARSE_M = 12.0  # from this cell size on heights are whole metres, as in SRTM and the like
SMOOTHING = 0.8  # cells: no grid holds a sharper edge than this


class Plan(NamedTuple):
    """A window to draw.

    Attributes:
        kind: of its landforms.
        zoom, latitude: of a Web Mercator map whose pixels are the cells.
        side: cells.
        landforms: how many; only `ASKED` of them are asked for.
        size: the window's side over a landform's diameter.
        degrees: mean slope of the landform.
        ground_m: elevation of the ground.
        rough: relief of the ground around, share of a landform's height.
        tilt: degrees of the regional slope.
    """

    kind: str
    zoom: int
    latitude: float
    side: int
    landforms: int
    size: float
    degrees: float
    ground_m: float
    rough: float = 0.35
    tilt: float = 1.0

    @property
    def cell_m(self) -> float:
        """Side of a cell on the ground."""
        return EQUATOR_M * math.cos(math.radians(self.latitude)) / (1 << self.zoom)


PLANS = (
    Plan("stratovolcano", 12, -39.3, 1024, 1, 3.0, 14, 800),
    Plan("stratovolcano", 9, 37.7, 512, 2, 4.5, 4, 600, 0.3, 0.2),
    Plan("stratovolcano", 13, 46.2, 768, 1, 3.5, 18, 1400, 0.5, 3),
    Plan("cinder cone", 15, 38.6, 1024, 4, 5.5, 26, 2300),
    Plan("cinder cone", 14, 28.2, 512, 3, 5.0, 22, 2000, 0.4, 4),
    Plan("caldera", 11, -0.8, 768, 1, 3.5, 7, 1100, 0.7),
    Plan("caldera", 12, 42.9, 1024, 2, 4.5, 12, 1900, 0.7, 1),
    Plan("impact crater", 12, 23.9, 1024, 4, 5.5, 10, 500),
    Plan("impact crater", 9, 61.3, 512, 1, 3.5, 3, 250, 0.4, 0.2),
    Plan("impact crater", 15, 35.0, 768, 2, 4.5, 18, 1700, 0.3, 2),
    Plan("doline", 17, 45.7, 1024, 5, 6.0, 20, 550, 0.4, 2),
    Plan("doline", 16, 44.1, 512, 3, 5.0, 14, 300, 0.5, 4),
    Plan("drumlin", 14, 54.3, 1024, 6, 5.0, 16, 90, 0.5, 0.5),
    Plan("drumlin", 15, 43.1, 768, 4, 4.0, 18, 150, 0.5, 1),
    Plan("mesa", 13, 36.9, 1024, 3, 5.0, 14, 1600, 0.6),
    Plan("mesa", 12, -22.8, 512, 1, 3.5, 9, 1000, 0.7, 1),
    Plan("mesa", 16, 35.4, 768, 2, 4.5, 20, 1300, 0.6, 2),
    Plan("alluvial fan", 13, 36.4, 768, 2, 4.0, 5, 200, 0.25, 0.5),
    Plan("alluvial fan", 15, -30.2, 1024, 1, 3.5, 8, 900, 0.25, 1.0),
    Plan("landslide scar", 17, 46.8, 768, 1, 4.5, 12, 900, 0.6, 17),
    Plan("landslide scar", 15, 29.5, 1024, 2, 5.5, 14, 1800, 0.6, 22),
    Plan("barchan", 15, 22.3, 1024, 5, 5.0, 10, 50, 0.15, 0.2),
    Plan("barchan", 16, -27.0, 512, 3, 5.0, 11, 100, 0.15, 0.2),
    Plan("moraine basin", 14, 46.5, 768, 1, 4.5, 17, 2500, 0.2, 8),
    Plan("moraine basin", 13, -44.0, 1024, 2, 5.0, 14, 1200, 0.25, 6),
    Plan("valley floor", 13, 47.2, 1024, 1, 5.0, 20, 500, 0.2, 0.3),
    Plan("valley floor", 9, 46.4, 512, 1, 6.0, 6, 700, 0.2, 0.1),
    Plan("terrace", 16, 44.4, 768, 1, 5.0, 18, 250, 0.15, 0.3),
    Plan("terrace", 17, 52.1, 1024, 1, 4.5, 16, 60, 0.15, 0.2),
    Plan("hill", 12, 60.5, 768, 4, 5.0, 10, 250, 0.3, 0.5),
    Plan("hill", 16, 50.3, 512, 2, 4.5, 12, 180, 0.3, 1),
    Plan("hill", 9, 45.1, 1024, 4, 5.5, 4, 500, 0.3, 0.1),
    Plan("hill", 17, 57.0, 1024, 3, 5.5, 16, 30, 0.4, 2),
)
ALONG = ("alluvial fan", "valley floor", "terrace", "moraine basin", "landslide scar")


def scenes(plans: Sequence[Plan] = PLANS) -> Iterator[Scene]:
    """Yield the windows, the same at every call."""
    for number, plan in enumerate(plans):
        yield scene(plan, number)


def scene(plan: Plan, number: int) -> Scene:
    """Return one window; its elevation is exact to the shapes before roughness is added."""
    random = np.random.default_rng([SEED, number])
    side = plan.side + 2 * HALO
    turn = random.uniform(0, 2 * math.pi)
    middles = _middles(plan, turn, random)
    forms = [_form(plan, middle, turn, random) for middle in middles]
    heights = sum((form.height for form in forms), np.zeros((side, side), np.float32))
    if plan.kind == "alluvial fan":
        heights = heights + _mountains(plan, middles[0], turn, random)
    ground = _ground(plan, turn, random)
    elevation = soften(np.asarray(heights + ground, np.float32), SMOOTHING)
    if plan.cell_m >= COARSE_M:
        elevation = np.rint(elevation)
    labels = _labels(forms)
    return Scene(
        f"{plan.kind} {number}",
        "drawn",
        elevation,
        plan.cell_m,
        labels,
        (plan.kind,) * len(forms),
        _asked(labels, len(forms)),
    )


def _form(plan: Plan, middle: tuple[float, float], turn: float, random: Random) -> Form:
    side = plan.side + 2 * HALO
    rows, cols = np.mgrid[0:side, 0:side].astype(np.float32)
    own = turn if plan.kind in (*ALONG, "drumlin", "barchan") else random.uniform(0, 2 * math.pi)
    own += random.normal(0, 0.08) if plan.kind in ("drumlin", "barchan") else 0
    east, south = _turned(cols - middle[0], rows - middle[1], own)
    size = random.uniform(0.75, 1.15) if plan.landforms > 1 else 1.0
    radius = plan.side / plan.size / 2 * size
    steep = math.tan(math.radians(plan.degrees))
    return KINDS[plan.kind](Place(east, south, radius, plan.cell_m, steep), random)


def _turned(east: Floats, south: Floats, angle: float) -> tuple[Floats, Floats]:
    cos, sin = math.cos(angle), math.sin(angle)
    return east * cos + south * sin, south * cos - east * sin


def _middles(plan: Plan, turn: float, random: Random) -> list[tuple[float, float]]:
    """Return (col, row) of landforms that do not meet, the first near the window's middle."""
    half, apart = plan.side / 2, 1.25 * plan.side / plan.size
    col, row = half + HALO + random.uniform(-0.12, 0.12, 2) * plan.side
    found = [(float(col), float(row))]
    if plan.kind == "alluvial fan":  # side by side at the mountain front
        step = (apart * math.cos(turn), apart * math.sin(turn))
        return [(col + k * step[0], row + k * step[1]) for k in (0, 1, -1)[: plan.landforms]]
    for _ in range(400):
        if len(found) == plan.landforms:
            break
        col, row = half + HALO + random.uniform(-0.38, 0.38, 2) * plan.side
        if all(math.hypot(col - c, row - r) > apart for c, r in found):
            found.append((float(col), float(row)))
    return found


def _ground(plan: Plan, turn: float, random: Random) -> Floats:
    """Return the ground: fractal hills with valleys, tilted to the landforms' south."""
    side = plan.side + 2 * HALO
    rows, cols = np.mgrid[0:side, 0:side].astype(np.float32)
    _, south = _turned(cols - side / 2, rows - side / 2, turn)
    height = math.tan(math.radians(plan.degrees)) * plan.side / plan.size / 2 * plan.cell_m
    hills = fractal(random, (side, side), 2.0)
    ridges = -np.abs(fractal(random, (side, side), 1.7))
    relief = plan.rough * height * (0.6 * hills + 0.5 * ridges) / 2
    fine = 0.02 * height * fractal(random, (side, side), 1.3)
    tilt = math.tan(math.radians(plan.tilt)) * plan.cell_m * -south
    return np.asarray(plan.ground_m + relief + fine + tilt, np.float32)


def _mountains(plan: Plan, front: tuple[float, float], turn: float, random: Random) -> Floats:
    """Return mountains behind the line on which fans have their apex."""
    side = plan.side + 2 * HALO
    rows, cols = np.mgrid[0:side, 0:side].astype(np.float32)
    _, south = _turned(cols - front[0], rows - front[1], turn)
    away = np.clip(-south, 0, 0.3 * plan.side)
    ridged = 1.1 - 0.5 * np.abs(fractal(random, (side, side), 1.8))
    steep = math.tan(math.radians(3 * plan.degrees))
    return np.asarray(steep * plan.cell_m * away * np.clip(ridged, 0.2, None), np.float32)


def _labels(forms: Sequence[Form]) -> Labels:
    inner = slice(HALO, -HALO)
    labels: Labels = np.zeros(forms[0].inside[inner, inner].shape, np.int32)
    for number, form in enumerate(forms, 1):
        labels[form.inside[inner, inner]] = number
    return labels


def _asked(labels: Labels, count: int) -> tuple[int, ...]:
    """Return the first landforms that are large enough and hardly cut by the window's edge."""
    found = [k for k in range(1, count + 1) if _is_whole(labels == k) or count == 1]
    return tuple(found[:ASKED])


def _is_whole(mask: Bools) -> bool:
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(mask.mean() > 0.001 and not edge.any())
