"""Colours of the ground: crops with their rows, bare land, the volcano's slopes, yards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from samgis_process.sources.sample.curves import largest
from samgis_process.sources.sample.layout import SUMMIT
from samgis_process.sources.sample.noise import Floats, broad, enlarge, fractal, smoothstep, soften
from samgis_process.sources.sample.raster import Patch, coverage, patch_of
from samgis_process.sources.sample.shape import SIDE, Shape

Colour = tuple[float, float, float]


class Crop(NamedTuple):
    """How a field looks from above.

    Attributes:
        colour: mean sRGB, 0..255.
        rows_px: distance between rows or swaths, pixels.
        contrast: of the rows, levels.
        patchy: deviation of soft patches, levels.
        tramlines: whether sprayer tracks run through it.
    """

    colour: Colour
    rows_px: float
    contrast: float
    patchy: float
    tramlines: bool


CROPS = {
    "wheat": Crop((189, 172, 116), 2.6, 2.0, 6.0, True),
    "barley": Crop((176, 168, 112), 2.6, 2.0, 7.0, True),
    "stubble": Crop((178, 158, 116), 5.2, 5.0, 6.0, False),
    "maize": Crop((93, 108, 63), 3.2, 3.5, 5.0, False),
    "meadow": Crop((118, 133, 78), 40.0, 1.0, 10.0, False),
    "mown": Crop((138, 144, 92), 6.4, 7.0, 6.0, False),
    "lucerne": Crop((101, 120, 72), 9.0, 3.0, 6.0, True),
    "soil": Crop((139, 112, 84), 3.4, 4.0, 9.0, False),
    "fallow": Crop((150, 142, 98), 30.0, 1.0, 11.0, False),
}
TRAMLINE_PX = 13.0  # 24 m, the width of a sprayer
YARD: Colour = (150, 140, 122)


@dataclass(frozen=True, slots=True, eq=False)
class Grain:
    """Noise all covers share, (SIDE, SIDE): deviation 1, from broad to fine."""

    broad: Floats
    patches: Floats
    fine: Floats


def grain(rng: np.random.Generator) -> Grain:
    """Return the shared noise."""
    shape = (SIDE, SIDE)
    return Grain(broad(rng, shape, 1.6, 16), broad(rng, shape, 1.3, 4), fractal(rng, shape, 0.55))


def wild(noise: Grain) -> Floats:
    """Return rough grass everywhere, float32 (SIDE, SIDE, 3), 0..255."""
    dry = smoothstep(-1.2, 1.6, noise.broad + 0.8 * noise.patches)[..., None]
    lush, parched = np.array((98, 114, 64), np.float32), np.array((150, 144, 96), np.float32)
    return np.asarray(
        lush + (parched - lush) * dry + (7 * noise.fine + 4 * noise.patches)[..., None], np.float32
    )


def blend(picture: Floats, patch: Patch, colours: Floats, alpha: Floats) -> None:
    """Lay `colours` over `patch` of `picture`, which is changed."""
    below = picture[patch.slices]
    below += (colours - below) * alpha[..., None]


def paint_field(picture: Floats, field: Shape, noise: Grain, rng: np.random.Generator) -> None:
    """Paint one field, with its rows, headland and patches."""
    patch = patch_of(field.outline, SIDE)
    if patch is None:
        return
    crop = CROPS[field.style]
    headland = 1 - coverage(largest(field.outline.buffer(-7)), patch)
    rows = _rows(patch, crop, field.angle_deg, noise)
    around = _rows(patch, crop, field.angle_deg + 90, noise)
    tone = rows + (around - rows) * headland + _patchiness(crop, patch, noise)
    tint = np.array(crop.colour) * (1 + rng.normal(0, 0.07)) + rng.normal(0, 2.0, 3)
    # Sparse crops show the soil, which is warmer: patches change hue, not only brightness.
    hue = np.array((1.15, 0.95, 0.80), np.float32)
    colours = tint.astype(np.float32) + tone[..., None].astype(np.float32) * hue
    blend(picture, patch, colours, coverage(field.outline, patch))


def _patchiness(crop: Crop, patch: Patch, noise: Grain) -> Floats:
    soft = 0.8 * noise.broad[patch.slices] + 0.5 * noise.patches[patch.slices]
    return crop.patchy * soft + (2.5 + 0.25 * crop.patchy) * noise.fine[patch.slices]


def _rows(patch: Patch, crop: Crop, angle_deg: float, noise: Grain) -> Floats:
    """Return the brightness of rows along `angle_deg`, a little unsteady as driven by hand."""
    cols, rows = patch.centres()
    turn = math.radians(angle_deg)
    across = rows * math.cos(turn) - cols * math.sin(turn) + 0.5 * noise.broad[patch.slices]
    strength = 1 + 0.5 * noise.patches[patch.slices]
    tone = crop.contrast * strength * np.sin(across * (2 * math.pi / crop.rows_px))
    if crop.tramlines:
        track = np.abs((across % TRAMLINE_PX) - TRAMLINE_PX / 2)
        tone -= 9 * np.exp(-((track - 0.9) ** 2))
    return np.asarray(tone, np.float32)


def paint_yard(picture: Floats, yard: Shape, noise: Grain) -> None:
    """Paint trodden and gravelled ground."""
    patch = patch_of(yard.outline, SIDE)
    if patch is None:
        return
    tone = 7 * noise.patches[patch.slices] + 6 * noise.fine[patch.slices]
    worn = np.clip(0.85 + 0.12 * noise.patches[patch.slices], 0, 1)
    alpha = soften(coverage(yard.outline, patch), 0.8) * worn
    blend(picture, patch, np.array(YARD, np.float32) + tone[..., None], alpha)


def paint_volcano(picture: Floats, volcano: Shape, elevation: Floats, noise: Grain) -> None:
    """Paint ash, rust and scree above, shrubs below and in the gullies.

    Args:
        picture: changed.
        volcano: where.
        elevation: metres, any resolution that covers the scene.
        noise: shared.
    """
    patch = patch_of(volcano.outline, SIDE)
    if patch is None:
        return
    hollow = enlarge(soften(elevation, 6.0) - elevation, (SIDE, SIDE))[patch.slices]
    height = enlarge(elevation, (SIDE, SIDE))[patch.slices]
    low, high = float(height.min()), float(height.max())
    up = np.asarray((height - low) / (high - low), np.float32)
    rough = np.float32(0.5) * (noise.broad[patch.slices] + noise.patches[patch.slices])
    colours = _ramp(up + 0.05 * rough)
    shrubs = smoothstep(-0.1, 0.5, 0.16 * hollow + 0.5 - 1.9 * up + 0.25 * rough)[..., None]
    colours += (np.array((70, 84, 50), np.float32) - colours) * (0.75 * shrubs)
    cols, rows = patch.centres()
    vent = np.exp(-((((cols - SUMMIT[0]) ** 2 + (rows - SUMMIT[1]) ** 2) / 62**2) ** 2))
    rust = np.array((139, 88, 66), np.float32)
    colours += (rust - colours) * np.asarray(0.6 * vent, np.float32)[..., None]
    colours += (6 * rough + 7 * noise.fine[patch.slices])[..., None]
    blend(picture, patch, colours, soften(coverage(volcano.outline, patch), 3.0))


def _ramp(up: Floats) -> Floats:
    """Return the colour of bare slopes by relative height: grass, scree, ash."""
    stops, colours = (
        (0.0, 0.22, 0.5, 1.0),
        ((128, 124, 80), (134, 118, 88), (116, 104, 94), (98, 90, 86)),
    )
    bands = [np.interp(up, stops, [colour[band] for colour in colours]) for band in range(3)]
    return np.stack(bands, axis=-1).astype(np.float32)
