"""Colours of the layers of elevation, between fixed values: a tile cannot know its neighbours'.

The values lie as close as the layers need it: heights above the surroundings and curvature span
orders of magnitude from one zoom to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import InvalidInput
from samgis_process.grid import GeoBox
from samgis_process.rendering import ramp
from samgis_process.sources import Source
from samgis_process.sources.elevation import read_relief
from samgis_process.terrain import compute, halo_of
from samgis_process.terrain.layers import Options

Colour = tuple[int, int, int]
Image = NDArray[np.uint8]

OPTIONS = Options()  # what `dem-composite` takes unasked
LEVELS = 256


class Scale(NamedTuple):
    """Which colours stand for which values, ascending; what lies beyond the ends is drawn as they.

    On a legend's bar the stops lie equally far from each other.
    """

    stops: tuple[float, ...]
    colours: tuple[Colour, ...]


# Blue is below: seas, hollows, what lies lower than its surroundings.
_HEIGHT = Scale(
    (-5000, -100, 0, 200, 500, 1000, 2000, 4000),
    (
        (20, 50, 110), (150, 195, 225), (60, 120, 80), (120, 165, 90), (215, 205, 130),
        (185, 130, 80), (140, 95, 80), (250, 250, 250),
    ),
)  # fmt: skip
_SLOPE = Scale(
    (0, 5, 15, 30, 45, 60),
    (
        (255, 255, 255), (255, 240, 185), (253, 190, 100), (235, 100, 65), (165, 30, 70),
        (60, 10, 60),
    ),
)  # fmt: skip
_ASPECT = Scale(
    (0, 90, 180, 270, 360),
    ((70, 110, 190), (235, 205, 90), (205, 80, 70), (90, 165, 110), (70, 110, 190)),
)
_DIVERGING: tuple[Colour, ...] = (
    (20, 60, 130), (70, 130, 190), (175, 210, 230), (250, 250, 250), (245, 205, 175),
    (215, 115, 85), (140, 20, 40),
)  # fmt: skip
_CURVED = Scale((-0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1), _DIVERGING)
_POSITION = Scale((-100, -10, -1, 0, 1, 10, 100), _DIVERGING)
_GREYS: tuple[Colour, ...] = (
    (0, 0, 0),
    (64, 64, 64),
    (128, 128, 128),
    (192, 192, 192),
    (255,) * 3,
)
_OPEN = Scale((60, 75, 85, 90, 95), _GREYS)
_SHADE = Scale((0, 255), (_GREYS[0], _GREYS[-1]))

SCALES: Mapping[str, Scale] = {
    "elevation": _HEIGHT,
    "slope": _SLOPE,
    "aspect": _ASPECT,
    "profile_curvature": _CURVED,
    "plan_curvature": _CURVED,
    "curvature": _CURVED,
    "tpi": _POSITION,
    "openness": _OPEN,
    "openness_negative": _OPEN,
    "sky_view": Scale((0.5, 0.7, 0.85, 0.95, 1), _GREYS),
    "hillshade": _SHADE,
    "hillshade_multi": _SHADE,
}


def require_layer(source: Source, name: str) -> None:
    """Refuse what is no layer of a source.

    Raises:
        InvalidInput: there is none of this name, or the source holds no elevation.
    """
    if name not in SCALES:
        raise InvalidInput("layer", f"{name[:80]!r} is no layer", limit=", ".join(SCALES))
    if source.info.bands.metres is None:
        raise InvalidInput("layer", f"{source.info.id} holds no elevation")


def layer_picture(source: Source, grid: GeoBox, name: str) -> tuple[Image, NDArray[np.bool_]]:
    """Return a layer in colours, uint8 (rows, cols, 3), and where it is known.

    Raises:
        NoData: the source holds no elevation there.
        SourceUnavailable: it does not answer.
    """
    halo = halo_of([name], OPTIONS, grid.ground_resolution)
    relief = read_relief(source, grid, halo)
    values = compute(relief.surface, name, OPTIONS, relief.halo)
    return coloured(values, SCALES[name]), np.isfinite(values)


def coloured(values: NDArray[np.float32], scale: Scale) -> Image:
    """Return values in the colours of a scale; what is not known is drawn in any."""
    places = np.linspace(0, LEVELS - 1, len(scale.stops))
    at = np.interp(np.nan_to_num(values), scale.stops, places)
    result: Image = ramp(scale.colours, LEVELS)[np.rint(at).astype(np.uint8)]
    return result
