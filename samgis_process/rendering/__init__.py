"""From raw bands to the RGB picture that a model reads."""

from samgis_process.rendering.bands import RGB_TILES, Bands, Span
from samgis_process.rendering.draw import draw, values
from samgis_process.rendering.parse import AnyRendering, echo, names, parse
from samgis_process.rendering.spec import Channel, Percentiles, Rendering
from samgis_process.rendering.terrain import (
    TERRAIN,
    Legend,
    TerrainRendering,
    TerrainStyle,
    paint,
    ramp,
)

__all__ = [
    "RGB_TILES",
    "TERRAIN",
    "AnyRendering",
    "Bands",
    "Channel",
    "Legend",
    "Percentiles",
    "Rendering",
    "Span",
    "TerrainRendering",
    "TerrainStyle",
    "draw",
    "echo",
    "names",
    "paint",
    "parse",
    "ramp",
    "values",
]
