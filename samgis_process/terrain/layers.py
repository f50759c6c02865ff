"""The layers of terrain by name, computed strip by strip.

A layer's value at a cell depends on the cells within its margin alone, and is the same to the last
bit in whatever window, block or strip it is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from samgis_process.terrain import bending, gradient, horizon, surroundings
from samgis_process.terrain.smoothing import reach_of, smoothed
from samgis_process.terrain.surface import Metres, Surface

# Of a strip, so that its few arrays stay in the processor's cache; but where much is needed around
# it, it is long enough not to work most cells twice.
STRIP_CELLS = 1 << 16

BULGES = "positive where the ground bulges"


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may choose.

    Attributes:
        radius: cells; of `tpi`, the openness and `sky_view`.
        azimuth: of the sun, degrees clockwise from north.
        altitude: of the sun above the horizon, degrees.
        smooth: standard deviation of a Gaussian before everything else, metres; 0: none.
        z_factor: by which heights are multiplied before everything else.
    """

    radius: int = 16
    azimuth: float = 315.0
    altitude: float = 45.0
    smooth: float = 0.0
    z_factor: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a radius of no cells.

        Raises:
            ValueError: it is less than 1.
        """
        if self.radius < 1:
            raise ValueError(f"the radius is {self.radius} cells, not at least 1")


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as users see it, and how it is made.

    Attributes:
        unit: of its values; empty: none.
        formula: in one line.
        source: the paper it comes from.
        compute: from a surface, smaller by the margin on each side afterwards.
        wide: whether its margin is the radius; else it is `ring`.
        ring: cells of margin.
        reshaped: whether it is made of smoothed and stretched heights.
    """

    name: str
    title: str
    unit: str
    formula: str
    source: str
    compute: Callable[[Surface, Options], Metres]
    ring: int = 1
    wide: bool = False
    reshaped: bool = True

    def margin(self, options: Options) -> int:
        """Return how many cells around a window it needs, besides those for smoothing."""
        return options.radius if self.wide else self.ring


HORN = "Horn 1981, doi:10.1109/PROC.1981.11918"
ZEVENBERGEN = "Zevenbergen and Thorne 1987, doi:10.1002/esp.3290120107"
YOKOYAMA = "Yokoyama et al. 2002, PE&RS 68(3), 257-265"

_ALL = (
    Layer(
        "elevation",
        "Elevation",
        "m",
        "as the source has it",
        "",
        lambda surface, _: surface.elevation,
        ring=0,
        reshaped=False,
    ),
    Layer(
        "slope",
        "Slope",
        "degree",
        "atan(sqrt(p^2 + q^2)), gradient (p, q) by Horn's weights",
        HORN,
        lambda surface, _: gradient.slope(surface),
    ),
    Layer(
        "aspect",
        "Aspect",
        "degree",
        "direction of descent, clockwise from north; unknown on level ground",
        HORN,
        lambda surface, _: gradient.aspect(surface),
    ),
    Layer(
        "profile_curvature",
        "Profile curvature",
        "1/m",
        f"-2 (D G^2 + E H^2 + F G H) / (G^2 + H^2), {BULGES} downhill",
        ZEVENBERGEN,
        lambda surface, _: bending.profile_curvature(surface),
    ),
    Layer(
        "plan_curvature",
        "Plan curvature",
        "1/m",
        f"-2 (D H^2 + E G^2 - F G H) / (G^2 + H^2), {BULGES} across the slope",
        ZEVENBERGEN,
        lambda surface, _: bending.plan_curvature(surface),
    ),
    Layer(
        "curvature",
        "Total curvature",
        "1/m",
        f"-2 (D + E) = profile + plan, {BULGES}",
        ZEVENBERGEN,
        lambda surface, _: bending.curvature(surface),
    ),
    Layer(
        "tpi",
        "Topographic position index",
        "m",
        "height above the mean of the other cells within the radius",
        "Weiss 2001, Topographic position and landforms analysis",
        lambda surface, options: surroundings.tpi(surface, options.radius),
        wide=True,
    ),
    Layer(
        "openness",
        "Positive openness",
        "degree",
        "mean over 16 directions of 90 - highest elevation angle within the radius",
        YOKOYAMA,
        lambda surface, options: horizon.openness(surface, options.radius),
        wide=True,
    ),
    Layer(
        "openness_negative",
        "Negative openness",
        "degree",
        "mean over 16 directions of 90 + lowest elevation angle within the radius",
        YOKOYAMA,
        lambda surface, options: horizon.openness_negative(surface, options.radius),
        wide=True,
    ),
    Layer(
        "sky_view",
        "Sky-view factor",
        "",
        "1 - mean over 16 directions of the sine of the horizon's angle within the radius",
        "Zaksek et al. 2011, doi:10.3390/rs3020398",
        lambda surface, options: horizon.sky_view(surface, options.radius),
        wide=True,
    ),
    Layer(
        "hillshade",
        "Hillshade",
        "",
        "255 max(0, cosine between the ground's normal and the sun)",
        HORN,
        lambda surface, o: gradient.hillshade(surface, o.azimuth, o.altitude),
    ),
    Layer(
        "hillshade_multi",
        "Multi-directional hillshade",
        "",
        "hillshades from 225, 270, 315 and 360 degrees, weighted by sin^2(aspect - azimuth) / 2",
        "Mark 1992, USGS Open-File Report 92-422",
        lambda surface, options: gradient.hillshade_multi(surface, options.altitude),
    ),
)
LAYERS: Mapping[str, Layer] = {layer.name: layer for layer in _ALL}


def halo_of(names: Iterable[str], options: Options, resolution: float) -> int:
    """Return how many cells around a window these layers need.

    Args:
        resolution: size of the smallest cell on the ground, metres.
    """
    smoothing = reach_of(options.smooth, resolution)
    return max((_halo(LAYERS[name], options, smoothing) for name in names), default=0)


def _halo(layer: Layer, options: Options, smoothing: int) -> int:
    return layer.margin(options) + (smoothing if layer.reshaped else 0)


def compute(surface: Surface, name: str, options: Options, halo: int) -> Metres:
    """Return a layer of a window.

    Args:
        surface: the window with `halo` cells around it, NaN where nothing is known.
        name: one of `LAYERS`.

    Returns:
        float32 (rows, cols) of the window without the halo; NaN where a cell it depends on is
        unknown (of `tpi`, openness and `sky_view`: the cell itself).

    Raises:
        ValueError: the halo is too small.
    """
    layer = LAYERS[name]
    margin = layer.margin(options)
    if halo < margin:
        raise ValueError(f"{name} needs a halo of {margin} cells, not {halo}")
    smoothing = reach_of(options.smooth, surface.resolution) if layer.reshaped else 0
    smoothing = min(smoothing, halo - margin)
    needed = margin + smoothing
    trimmed = surface.trimmed(halo - needed)
    result = np.empty([side - 2 * needed for side in trimmed.elevation.shape], np.float32)
    for rows, strip in zip(slices(trimmed, needed), strips(trimmed, needed), strict=True):
        shaped = reshaped(strip, options, smoothing) if layer.reshaped else strip
        result[rows] = layer.compute(shaped, options)
    return result


def reshaped(surface: Surface, options: Options, smoothing: int) -> Surface:
    """Return the surface smoothed, `smoothing` cells smaller on each side, and stretched."""
    smooth = smoothed(surface, options.smooth, smoothing)
    if options.z_factor == 1:
        return smooth
    return smooth.of(smooth.elevation * np.float32(options.z_factor))


def strips(surface: Surface, margin: int, cells: int = STRIP_CELLS) -> Iterator[Surface]:
    """Yield the surface in strips of rows, each with `margin` rows of its neighbours around it."""
    for rows in slices(surface, margin, cells):
        yield surface.rows(rows.start, rows.stop + 2 * margin)


def slices(surface: Surface, margin: int, cells: int = STRIP_CELLS) -> Iterator[slice]:
    """Yield the rows of each strip, counted without the margin."""
    rows = len(surface.elevation) - 2 * margin
    step = max(1, cells // surface.elevation.shape[1], 6 * margin)
    for start in range(0, rows, step):
        yield slice(start, min(rows, start + step))
