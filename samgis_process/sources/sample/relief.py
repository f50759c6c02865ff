"""The elevation of the sample scene: rolling land, flat waters and a stratovolcano."""

from __future__ import annotations

import math

import numpy as np
from shapely.geometry import Polygon
from shapely.ops import unary_union

from samgis_process.sources.sample.layout import SUMMIT, shapes
from samgis_process.sources.sample.noise import Floats, broad, fractal, smoothstep
from samgis_process.sources.sample.raster import Patch, distance
from samgis_process.sources.sample.shape import SEED, SIDE

STEP = 2  # scene pixels per elevation sample: the land is smoother than the picture
WATER_LEVEL = 212.0  # m, Heron Lake
HEIGHT = 285.0  # m, of the cone without its gullies, above the plain
# Concave like real cones: exp(-1.7 t) falls at 36 degrees below the crater and 8 at the foot
# (a radius of 400 px is 720 m); 30 to 35 degrees is the angle of repose of scoria.
CONCAVITY = 1.7
CRATER_RADIUS = 0.125  # of the cone's
CRATER_DEPTH = 46.0  # m
GULLY_DEPTH = 13.0  # m


def elevation() -> Floats:
    """Return metres, float32, (SIDE / STEP) squared; the same at every call."""
    rng = np.random.default_rng(SEED + 1)
    land = _land(rng)
    mountain = next(shape.outline for shape in shapes() if shape.kind == "volcano")
    height = land + _cone(mountain, rng)
    return np.asarray(height + 0.25 * fractal(rng, height.shape, 1.2), np.float32)


def _land(rng: np.random.Generator) -> Floats:
    side = SIDE // STEP
    hills = broad(rng, (side, side), 2.0, 8)
    rows, cols = np.mgrid[0:side, 0:side].astype(np.float32) / side
    plain = WATER_LEVEL + 30 + 12 * hills + 22 * cols * (1 - rows)
    plain = np.maximum(plain, WATER_LEVEL + 3)
    waters = unary_union([s.outline for s in shapes() if s.kind in ("lake", "river")]).simplify(2)
    away = distance(waters, Patch(0, 0, SIDE, SIDE), 32)[::STEP, ::STEP]
    inland = smoothstep(0, 260, away)
    return np.asarray(WATER_LEVEL + (plain - WATER_LEVEL) * inland, np.float32)


def _cone(outline: Polygon, rng: np.random.Generator) -> Floats:
    """Return the volcano's height above the plain; 0 outside its outline."""
    side = SIDE // STEP
    rows, cols = (np.mgrid[0:side, 0:side].astype(np.float32) + 0.5) * STEP
    east, south = cols - SUMMIT[0], rows - SUMMIT[1]
    azimuth = np.arctan2(south, east)
    reach = np.hypot(east, south) / _radius(outline, azimuth)
    flank = (np.exp(-CONCAVITY * reach) - math.exp(-CONCAVITY)) / (1 - math.exp(-CONCAVITY))
    cone = HEIGHT * np.clip(flank, 0, None) - _gullies(azimuth, reach, rng)
    return np.asarray(_crater(cone, azimuth, reach), np.float32)


def _radius(outline: Polygon, azimuth: Floats) -> Floats:
    ring = np.array(outline.exterior.coords)[:-1] - SUMMIT
    turn = np.arctan2(ring[:, 1], ring[:, 0])
    radius = np.interp(azimuth, *_sorted(turn, np.hypot(*ring.T)), period=2 * math.pi)
    return np.asarray(radius, np.float32)


def _sorted(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(x)
    return x[order], y[order]


def _gullies(azimuth: Floats, reach: Floats, rng: np.random.Generator) -> Floats:
    """Return how deep radial gullies cut, metres: more of them lower down, none at either end."""
    depth = np.zeros_like(reach)
    sway = 0.07 * broad(rng, reach.shape, 1.8, 8)
    uneven = 0.75 + 0.45 * np.tanh(broad(rng, reach.shape, 1.4, 16))
    for count, share, start in ((13, 0.55, 0.13), (29, 0.45, 0.34)):
        wave = np.cos(count * (azimuth + sway + rng.uniform(0, 6)))
        depth += share * smoothstep(start, start + 0.25, reach) * (1 - np.abs(wave)) ** 1.5
    return np.asarray(GULLY_DEPTH * uneven * depth * smoothstep(0, 0.35, 1 - reach), np.float32)


def _crater(cone: Floats, azimuth: Floats, reach: Floats) -> Floats:
    """Return `cone` with its top cut at an uneven rim and hollowed."""
    at_rim = (math.exp(-CONCAVITY * CRATER_RADIUS) - math.exp(-CONCAVITY)) / (
        1 - math.exp(-CONCAVITY)
    )
    uneven = 6 * np.cos(azimuth + 2.3) + 3 * np.cos(3 * azimuth)
    rim = HEIGHT * at_rim + uneven * np.clip(reach / CRATER_RADIUS, 0, 1)
    bowl = rim - CRATER_DEPTH * (1 - np.clip(reach / CRATER_RADIUS, 0, 1) ** 2)
    # Outside, the unevenness of the rim fades away down the flank.
    outer = cone + uneven * np.exp((CRATER_RADIUS - reach) / 0.07)
    outer = np.where(reach < 1, outer, cone)
    return np.asarray(np.where(reach < CRATER_RADIUS, bowl, outer), np.float32)
