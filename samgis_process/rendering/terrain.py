"""Renderings of elevation: the picture in which a model sees landforms.

All but `samgis` are window-independent: a pixel's colour depends on the elevation within a fixed
number of cells around it alone. Height is drawn against its surroundings, which has contrast at
every scale; absolute height in 8 bits would be 35 m a level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from samgis_process.rendering.draw import NOTHING
from samgis_process.rendering.samgis import samgis
from samgis_process.terrain import Surface
from samgis_process.terrain.bending import curvature
from samgis_process.terrain.gradient import horn, shade_multi, steepness
from samgis_process.terrain.layers import slices, strips
from samgis_process.terrain.position import position

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

VERSION = "terrain-1"  # changes with what is drawn; part of an embedding's key
LEVELS = 64  # colours of a legend's bar

# What follows was chosen by what segments best: models/evaluation/LANDFORMS.md.
RADIUS = 96  # cells of the surroundings: a tenth of the model's input
FULL = 1.25  # by which deviations are stretched, and cut: the highest tenth is drawn alike
LEAST_SPREAD = 0.005  # of the radius: what is flatter is drawn with less contrast
SPREAD_OF_SLOPE = 0.41  # of the radius: how far an even slope of 45 degrees spreads heights
BLEND = (0.8, -0.4, 0.1)  # of height, slope and curvature in green
USUAL = 2.0  # times the slope of the surroundings: a slope that is drawn half way
LEAST_SLOPE = 0.02
BENT = 0.5  # change of gradient from cell to cell, of the surroundings' slope, drawn half way
LEAST_BENT = 0.01
SHADING = 0.8  # of the light that the steepest ground loses
SUN = 45.0  # degrees above the horizon
FULL_LIGHT = 1.35  # level ground is drawn in 0.95 of its colour
# Brightness falls and rises again with height: its turns are contours.
TINTS = ((70, 110, 90), (110, 150, 90), (200, 195, 130), (180, 130, 90), (245, 240, 235))


@dataclass(frozen=True, slots=True, eq=False)
class Legend:
    """What one colour means.

    Attributes:
        low: value of the ramp's first colour; beyond the ends colours change little.
        ramp: uint8 (n, 3), from low to high.
    """

    colour: Literal["red", "green", "blue", "tint"]
    title: str
    unit: str
    low: float
    high: float
    ramp: Image


@dataclass(frozen=True, slots=True, eq=False)
class TerrainStyle:
    """A rendering as users see it, and how it is painted.

    Attributes:
        radius: cells of the surroundings, where a request names none.
        paint: floats 0 to 255 (rows, cols, 3) of a surface with `radius` cells around it.
        whole: paints the whole window, without surroundings, at once instead.
    """

    name: str
    title: str
    channels: tuple[Legend, ...]
    radius: int = RADIUS
    paint: Callable[[Surface, int], Floats] | None = None
    whole: Callable[[Surface], Floats] | None = None


@dataclass(frozen=True, slots=True)
class TerrainRendering:
    """A rendering of elevation.

    Attributes:
        name: one of `TERRAIN`.
        radius: cells of the surroundings that height is compared with.
    """

    name: str
    radius: int

    @property
    def bands(self) -> tuple[int, ...]:
        """The bands to read."""
        return (1,)

    @property
    def key(self) -> str:
        """Canonical text with a version, for the key of an embedding."""
        return f"{VERSION}:{self.name}:{self.radius}"

    @property
    def halo(self) -> int:
        """Cells around a window that its picture depends on."""
        return 0 if TERRAIN[self.name].whole else self.radius


def paint(rendering: TerrainRendering, surface: Surface, halo: int) -> Image:
    """Return an image, uint8 (rows, cols, 3), of a window without its halo.

    Args:
        surface: the window with `halo` cells around it, NaN where nothing is known.
        halo: at least that of the rendering.
    """
    style, needed = TERRAIN[rendering.name], rendering.halo
    if halo < needed:
        raise ValueError(f"{rendering.name} needs a halo of {needed} cells, not {halo}")
    trimmed = surface.trimmed(halo - needed)
    if style.whole:
        return _image(style.whole(trimmed))
    if style.paint is None:
        raise ValueError(f"{rendering.name} is painted in no way")
    rows, cols = (side - 2 * needed for side in trimmed.elevation.shape)
    image = np.empty((rows, cols, 3), np.uint8)
    for part, strip in zip(slices(trimmed, needed), strips(trimmed, needed), strict=True):
        image[part] = _image(style.paint(strip, needed))
    return image


def _image(levels: Floats) -> Image:
    """Return the picture of levels, which are used up."""
    unknown = np.isnan(levels.sum(axis=-1)) if np.isnan(levels.min()) else None
    np.clip(levels, 0, 255, out=levels)
    np.rint(levels, out=levels)
    with np.errstate(invalid="ignore"):
        image = levels.astype(np.uint8)
    if unknown is not None:
        image[unknown] = NOTHING
    return image


class _Ground(NamedTuple):
    """How a cell compares with its surroundings, float32 (rows, cols).

    Attributes:
        height: -1 to 1, 0 at their mean.
        steepness: tangent of a slope that would spread heights as far as they are spread.
    """

    height: Floats
    steepness: Floats


def _ground(surface: Surface, radius: int) -> _Ground:
    height, spread = position(surface, radius)
    reach = radius * surface.dx[radius:-radius, None]
    scale = spread * spread
    scale += height * height / 4
    least = LEAST_SPREAD * reach
    scale += least * least
    height *= 0.5 * FULL / np.sqrt(scale, out=scale)
    np.clip(height, -1, 1, out=height)
    spread /= SPREAD_OF_SLOPE * reach
    return _Ground(height, spread)


def _ring(surface: Surface, radius: int, cells: int = 1) -> Surface:
    """Return the window with some cells around it."""
    return surface.trimmed(radius - cells)


def _steep(surface: Surface, ground: _Ground) -> Floats:
    """Return the slope against that of the surroundings, 0 level to 1 upright."""
    steep = steepness(horn(surface))
    usual = ground.steepness * USUAL
    usual += LEAST_SLOPE
    usual += steep
    steep /= usual
    return _told(steep, 0)


def _bulge(surface: Surface, ground: _Ground) -> Floats:
    """Return the curvature against the slope of the surroundings, -1 to 1; two cells less."""
    bent = curvature(_softened(surface))
    bent *= surface.dx[2:-2, None]
    usual = ground.steepness * BENT
    usual += LEAST_BENT
    usual += np.abs(bent)
    bent /= usual
    return _told(bent, 0)


def _told(values: Floats, level: float) -> Floats:
    """Draw ground as level whose slope is not known, beside a void: it is known itself."""
    if np.isnan(values.min()):
        np.nan_to_num(values, copy=False, nan=level)
    return values


def _softened(surface: Surface) -> Surface:
    """Return elevation under the weights 1, 2, 1 of rows and columns; one cell less."""
    z = surface.elevation
    rows = _blurred(z[2:], z[1:-1], z[:-2])
    both = _blurred(rows[:, 2:], rows[:, 1:-1], rows[:, :-2])
    return surface.trimmed(1).of(both)


def _blurred(after: Floats, here: Floats, before: Floats) -> Floats:
    mean = after - here
    mean += before - here
    mean *= np.float32(0.25)
    mean += here
    return mean


def _terrain(surface: Surface, radius: int) -> Floats:
    ground = _ground(surface, radius)
    bulge = _bulge(_ring(surface, radius, 2), ground)
    blend = _steep(_ring(surface, radius), ground)
    blend *= BLEND[1]
    blend += BLEND[0] * ground.height
    blend += BLEND[2] * bulge
    levels = np.stack([ground.height, blend, bulge], axis=-1)
    levels *= 127
    levels += 128
    return levels


def _tint(surface: Surface, radius: int) -> Floats:
    ground = _ground(surface, radius)
    light = _steep(_ring(surface, radius), ground)
    light *= -SHADING
    light += 1
    return _coloured(ground.height, light)


def _relief(surface: Surface, radius: int) -> Floats:
    ground = _ground(surface, radius)
    light = shade_multi(horn(_ring(surface, radius)), SUN)
    light = _told(light, math.sin(math.radians(SUN)))
    light *= np.float32(FULL_LIGHT)
    return _coloured(ground.height, light)


def _coloured(height: Floats, light: Floats) -> Floats:
    """Return the ramp's colours at `height`, -1 to 1, under a light of 0 to 1."""
    unknown = np.isnan(height)
    light[unknown] = np.nan
    place = np.where(unknown, 0, height)
    place += 1
    place *= 127.5
    at = place.astype(np.uint8)
    levels = np.empty((*height.shape, 3), np.float32)
    for channel, colours in enumerate(_FINE_RAMP.T):  # whole pixels take twice as long
        np.multiply(np.take(colours, at), light, out=levels[..., channel])
    return levels


def ramp(colours: tuple[tuple[int, int, int], ...], levels: int = LEVELS) -> Image:
    """Return so many colours, uint8 (levels, 3), between and including those that are given."""
    at = np.linspace(0, len(colours) - 1, levels)
    table = np.array(colours, np.float64)
    channels = [np.interp(at, np.arange(len(colours)), table[:, index]) for index in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def _legend(
    colour: Literal["red", "green", "blue"], title: str, unit: str, low: float, high: float
) -> Legend:
    full = tuple(255 if name == colour else 0 for name in ("red", "green", "blue"))
    return Legend(colour, title, unit, low, high, ramp(((0, 0, 0), (full[0], full[1], full[2]))))


HEIGHT, DEVIATIONS = "height against surroundings", "standard deviations"
_FINE_RAMP = ramp(TINTS, 256).astype(np.float32)
_ALL = (
    TerrainStyle(
        "terrain",
        "Height, blend and curvature",
        (
            _legend("red", HEIGHT, DEVIATIONS, -2.67, 2.67),
            _legend("green", "height less slope", "", -1, 1),
            _legend("blue", "curvature, positive where it bulges", "", -1, 1),
        ),
        paint=_terrain,
    ),
    TerrainStyle(
        "tinted-slope",
        "Tinted slope, light from all sides",
        (Legend("tint", HEIGHT, DEVIATIONS, -2.67, 2.67, ramp(TINTS)),),
        paint=_tint,
    ),
    TerrainStyle(
        "relief",
        "Tinted multi-directional hillshade",
        (Legend("tint", HEIGHT, DEVIATIONS, -2.67, 2.67, ramp(TINTS)),),
        paint=_relief,
    ),
    TerrainStyle(
        "samgis",
        "The composite of SamGIS, stretched over the window; not metric",
        (
            _legend("red", "elevation, high is dark", "", 0, 1),
            _legend("green", "blend, high is dark", "", 0, 1),
            _legend("blue", "slope of the slope, high is dark", "", 0, 1),
        ),
        whole=samgis,
    ),
)  # fmt: skip
TERRAIN: Mapping[str, TerrainStyle] = {style.name: style for style in _ALL}
