"""From raw bands to the RGB picture that a model reads."""

from samgis_process.rendering.bands import RGB_TILES, Bands, Span
from samgis_process.rendering.draw import draw, values
from samgis_process.rendering.parse import echo, parse
from samgis_process.rendering.spec import Channel, Percentiles, Rendering

__all__ = [
    "RGB_TILES",
    "Bands",
    "Channel",
    "Percentiles",
    "Rendering",
    "Span",
    "draw",
    "echo",
    "parse",
    "values",
]
