"""What people built: roads with verges, roofs with ridges."""

from __future__ import annotations

import math

import numpy as np

from samgis_process.sources.sample.cover import Colour, Grain, blend
from samgis_process.sources.sample.light import TO_SUN
from samgis_process.sources.sample.noise import Floats, soften
from samgis_process.sources.sample.raster import Patch, coverage, patch_of
from samgis_process.sources.sample.shape import SIDE, Shape

ROOFS: dict[str, tuple[Colour, ...]] = {
    "house": ((164, 96, 74), (150, 86, 68), (176, 112, 88)),
    "slate": ((112, 112, 118), (96, 98, 106)),
    "barn": ((186, 186, 182), (168, 150, 138), (150, 92, 72)),
}
PITCH = math.tan(math.radians(32.0))  # of tiled roofs
BARN_PITCH = math.tan(math.radians(11.0))  # of sheet metal and fibre cement
EAVES_M = {"house": 5.5, "slate": 5.5, "barn": 6.5}
ASPHALT, VERGE = (np.array(colour, np.float32) for colour in ((134, 132, 130), (158, 150, 116)))


def paint_road(picture: Floats, road: Shape, noise: Grain) -> None:
    """Paint an asphalt road between verges of gravel and dry grass."""
    patch = patch_of(road.outline, SIDE, 6)
    if patch is None:
        return
    worn = np.clip(0.75 + 0.2 * noise.patches[patch.slices], 0, 1)
    verge = soften(coverage(road.outline.buffer(1.8), patch), 0.7) * worn
    tone = 6 * noise.fine[patch.slices][..., None]
    blend(picture, patch, VERGE + tone, verge)
    tone = (4 * noise.broad[patch.slices] + 3 * noise.fine[patch.slices])[..., None]
    blend(picture, patch, ASPHALT + tone, coverage(road.outline, patch))


def paint_roof(
    picture: Floats, height: Floats, roof: Shape, ground_res: float, rng: np.random.Generator
) -> None:
    """Paint a hipped or gabled roof, each face by its light, and raise `height` by it.

    Args:
        picture: changed.
        height: metres of what casts shadows; changed.
        roof: a rectangle.
        ground_res: metres per pixel.
        rng: draws colour and wear.
    """
    patch = patch_of(roof.outline, SIDE)
    if patch is None:
        return
    along, across, length, width = _axes(roof, patch)
    to_side, to_end = width / 2 - np.abs(across), length / 2 - np.abs(along)
    hipped = roof.style != "barn"
    pitch = PITCH if hipped else BARN_PITCH
    rise = np.minimum(to_side, to_end) if hipped else to_side
    end_face = (to_end < to_side) & hipped
    light = np.where(
        end_face, _light(np.sign(along), 0, roof, pitch), _light(0, np.sign(across), roof, pitch)
    )
    palette = ROOFS[roof.style]
    tint = np.array(palette[int(rng.integers(len(palette)))]) * rng.normal(1.0, 0.05)
    wear = 3.5 * rng.standard_normal(patch.shape) + 3 * np.sin(along * 2.1)
    ridge = 12 * np.exp(-((width / 2 - to_side) ** 2) / 0.5)
    colours = tint * light[..., None] + (wear + ridge)[..., None]
    alpha = coverage(roof.outline, patch)
    blend(picture, patch, colours.astype(np.float32), alpha)
    top = EAVES_M[roof.style] + np.clip(rise, 0, None) * ground_res * pitch
    standing = height[patch.slices]
    standing[alpha > 0.5] = np.maximum(standing, top)[alpha > 0.5]


def _axes(roof: Shape, patch: Patch) -> tuple[Floats, Floats, float, float]:
    """Return positions along and across the ridge, and the roof's length and width, pixels."""
    turn, centre = math.radians(roof.angle_deg), roof.outline.centroid
    cols, rows = patch.centres()
    east, south = cols - centre.x, rows - centre.y
    along = east * math.cos(turn) + south * math.sin(turn)
    across = south * math.cos(turn) - east * math.sin(turn)
    corners = np.array(roof.outline.exterior.coords) - (centre.x, centre.y)
    reach_along = corners @ (math.cos(turn), math.sin(turn))
    reach_across = corners @ (-math.sin(turn), math.cos(turn))
    return along, across, 2 * float(reach_along.max()), 2 * float(reach_across.max())


def _light(along: Floats | int, across: Floats | int, roof: Shape, pitch: float) -> Floats:
    """Return the brightness of the face that falls towards (`along`, `across`) of the ridge."""
    turn = math.radians(roof.angle_deg)
    east = along * math.cos(turn) - across * math.sin(turn)
    south = along * math.sin(turn) + across * math.cos(turn)
    lit = TO_SUN[2] + pitch * (east * TO_SUN[0] + south * TO_SUN[1])
    level = np.clip(lit, 0, None) / math.hypot(1, pitch) / TO_SUN[2]
    return np.asarray(0.45 + 0.55 * level, np.float32)
