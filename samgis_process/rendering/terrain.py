"""Renderings of elevation: the picture in which a model sees landforms.

All but `samgis` are window-independent: a pixel's colour depends on the elevation within a fixed
number of cells around it alone. Height is drawn against its surroundings, which has contrast at
every scale; absolute height in 8 bits would be 35 m a level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from samgis_process.rendering.draw import NOTHING
from samgis_process.rendering.samgis import samgis
from samgis_process.terrain import Surface
from samgis_process.terrain.bending import curvature
from samgis_process.terrain.gradient import Gradient, horn, shade_multi, steepness
from samgis_process.terrain.layers import strips
from samgis_process.terrain.position import position

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

VERSION = "terrain-1"  # changes with what is drawn; part of an embedding's key
LEVELS = 64  # colours of a legend's bar

# The owner's weights of height, slope and curvature in green: 2.5, 1.1 and 2.0 thirds.
BLEND = (0.446, 0.197, 0.357)
STEEP = 1.0  # tangent drawn half way: 45 degrees
BENT = 0.12  # change of gradient from cell to cell that is drawn half way
LEAST_SPREAD = 0.004  # of the radius: what is flatter is noise, and is drawn with less contrast
RELIEF_RAMP = (
    (38, 84, 92), (70, 122, 92), (142, 164, 106), (214, 200, 142), (196, 154, 104), (150, 104, 80),
    (236, 230, 224),
)  # fmt: skip


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
    radius: int = 32
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
    trimmed = surface.trimmed(halo - needed)
    if style.whole:
        return _image(style.whole(trimmed))
    if style.paint is None:
        raise ValueError(f"{rendering.name} is painted in no way")
    parts = [_image(style.paint(strip, needed)) for strip in strips(trimmed, needed)]
    return np.concatenate(parts)


def _image(levels: Floats) -> Image:
    with np.errstate(invalid="ignore"):
        image = np.rint(np.clip(levels, 0, 255)).astype(np.uint8)
    unknown = np.isnan(levels).any(axis=-1)
    if unknown.any():
        image[unknown] = NOTHING
    return image


def _height(surface: Surface, radius: int) -> Floats:
    """Return height against the surroundings, -1 to 1: deviations from their mean, squashed."""
    height, spread = position(surface, radius)
    least = LEAST_SPREAD * radius * surface.dx[radius:-radius, None]
    spread *= spread
    spread += height * height / 4 + least * least
    np.sqrt(spread, out=spread)
    height /= 2 * spread
    return height


def _ring(surface: Surface, radius: int) -> Surface:
    """Return the window with one cell around it."""
    return surface.trimmed(radius - 1)


def _bulge(surface: Surface) -> Floats:
    """Return signed curvature, -1 to 1: change of gradient from one cell to the next, squashed."""
    bent = curvature(surface)
    bent *= surface.dx[1:-1, None]
    bent /= BENT + np.abs(bent)
    return bent


def _terrain(surface: Surface, radius: int) -> Floats:
    near = _ring(surface, radius)
    height, bulge = _height(surface, radius), _bulge(near)
    steep = steepness(horn(near))
    steep /= STEEP + steep
    levels = np.empty((*height.shape, 3), np.float32)
    levels[..., 0] = height
    levels[..., 1] = BLEND[0] * height + BLEND[1] * steep + BLEND[2] * bulge
    levels[..., 2] = bulge
    levels *= 127
    levels += 128
    return levels


def _relief(surface: Surface, radius: int) -> Floats:
    height = _height(surface, radius)
    east, south = horn(_ring(surface, radius))
    shade = shade_multi(Gradient(east, south), 45.0)
    shade *= np.float32(1.35)
    ramp = _ramp(RELIEF_RAMP, 256).astype(np.float32)
    known = np.isfinite(height)
    place = np.clip((np.where(known, height, 0) + 1) * 127.5, 0, 255).astype(np.uint8)
    shade[~known] = np.nan
    levels: Floats = ramp[place] * shade[..., None]
    return levels


def _ramp(colours: tuple[tuple[int, int, int], ...], levels: int = LEVELS) -> Image:
    at = np.linspace(0, len(colours) - 1, levels)
    table = np.array(colours, np.float64)
    channels = [np.interp(at, np.arange(len(colours)), table[:, index]) for index in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def _legend(
    colour: Literal["red", "green", "blue"], title: str, unit: str, low: float, high: float
) -> Legend:
    full = tuple(255 if name == colour else 0 for name in ("red", "green", "blue"))
    return Legend(colour, title, unit, low, high, _ramp(((0, 0, 0), (full[0], full[1], full[2]))))


_ALL = (
    TerrainStyle(
        "terrain",
        "Height, blend and curvature",
        (
            _legend("red", "height against surroundings", "standard deviations", -4, 4),
            _legend("green", "blend of height, slope and curvature", "", -1, 1),
            _legend("blue", "curvature, positive where it bulges", "per cell", -1, 1),
        ),
        paint=_terrain,
    ),
    TerrainStyle(
        "relief",
        "Tinted multi-directional hillshade",
        (
            Legend(
                "tint", "height against surroundings", "standard deviations", -4, 4,
                _ramp(RELIEF_RAMP),
            ),
        ),
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
