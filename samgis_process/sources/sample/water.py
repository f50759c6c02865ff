"""Colours of water: depth, silt, wind and the glint of the low sun."""

from __future__ import annotations

import math

import numpy as np
from shapely.geometry import Point, Polygon

from samgis_process.sources.sample.cover import Grain, blend
from samgis_process.sources.sample.noise import Floats, fractal, smoothstep
from samgis_process.sources.sample.raster import Patch, coverage, distance, patch_of
from samgis_process.sources.sample.shape import SIDE, Shape

WIND_DEG = 24.0  # the way ripples line up, clockwise from east on the picture
DEEP, SHALLOW, SILT = (
    np.array(colour, np.float32) for colour in ((30, 54, 66), (78, 98, 84), (134, 126, 98))
)
SKY = np.array((126, 142, 150), np.float32)  # what ripples mirror


def paint_lake(
    picture: Floats, lake: Shape, mouth: Point | None, rng: np.random.Generator
) -> None:
    """Paint still water; a river that enters at `mouth` brings silt.

    No two parts of the lake have the same colour, as on a real one: telling it from the land by
    colour alone does not do.
    """
    patch = patch_of(lake.outline, SIDE)
    if patch is None:
        return
    near_shore = np.exp(-distance(lake.outline.exterior, patch, 5) / 17)
    swirl = fractal(rng, patch.shape, 1.9)
    shallow = np.clip(near_shore * (1.0 + 0.35 * swirl), 0, 1)[..., None]
    colours = DEEP + (SHALLOW - DEEP) * shallow
    if mouth is not None:
        plume = _plume(patch, mouth, swirl)[..., None]
        colours = colours + (SILT - colours) * plume
    mirror = _ripples(patch, lake.outline, rng)[..., None]
    colours = colours + (SKY - colours) * mirror
    blend(picture, patch, colours.astype(np.float32), coverage(lake.outline, patch))


def _plume(patch: Patch, mouth: Point, swirl: Floats) -> Floats:
    """Return how silty the water is, 0..1: most at the mouth, drifting with the wind."""
    cols, rows = patch.centres()
    turn = math.radians(WIND_DEG + 52)
    east, south = cols - mouth.x, rows - mouth.y
    along = east * math.cos(turn) + south * math.sin(turn)
    across = south * math.cos(turn) - east * math.sin(turn)
    length = np.hypot(np.where(along < 0, 2.2, 0.75) * along, 1.5 * across)
    return np.asarray(
        0.85 * smoothstep(0, 1, 1.3 * np.exp(-length / 130) * (1 + 0.18 * swirl)), np.float32
    )


def _ripples(patch: Patch, outline: Polygon, rng: np.random.Generator) -> Floats:
    """Return how much sky is seen, 0..1: streaks of wind, more where the sun glints."""
    streaks = fractal(rng, patch.shape, 1.15, 7.0, WIND_DEG)
    gusts = fractal(rng, patch.shape, 2.0, 2.0, WIND_DEG)
    fine = fractal(rng, patch.shape, 0.3, 3.0, WIND_DEG)
    cols, rows = patch.centres()
    centre = outline.centroid
    # The mirror of the sun lies beyond the south-eastern shore; the lake brightens towards it.
    towards = ((cols - centre.x) * 0.8 + (rows - centre.y) * 0.6) / math.sqrt(outline.area)
    glint = smoothstep(-0.45, 0.75, np.asarray(towards, np.float32) + 0.16 * gusts)
    mirror = 0.10 + 0.62 * glint + 0.10 * streaks + 0.07 * gusts + 0.035 * fine
    return np.asarray(np.clip(mirror, 0, 0.95), np.float32)


def paint_river(picture: Floats, river: Shape, noise: Grain) -> None:
    """Paint turbid running water, paler along its banks."""
    patch = patch_of(river.outline, SIDE)
    if patch is None:
        return
    near_bank = np.exp(-distance(river.outline.exterior.simplify(0.7), patch, 3) / 3.0)[..., None]
    body = np.array((88, 104, 100), np.float32)
    colours = body + (SILT - body) * np.clip(0.75 * near_bank, 0, 1)
    colours += (5 * noise.broad[patch.slices] + 3 * noise.fine[patch.slices])[..., None]
    blend(picture, patch, colours.astype(np.float32), coverage(river.outline, patch))


def paint_reeds(picture: Floats, reed: Shape, noise: Grain) -> None:
    """Paint the belt of reeds: pale tips, dark gaps."""
    patch = patch_of(reed.outline, SIDE)
    if patch is None:
        return
    tone = 11 * noise.fine[patch.slices] + 8 * noise.patches[patch.slices]
    colours = np.array((142, 140, 84), np.float32) + tone[..., None]
    blend(picture, patch, colours, coverage(reed.outline, patch))
