"""From raw bands to the RGB picture that a model reads."""

from samgis_process.rendering.rgb import RENDERING, to_rgb

__all__ = ["RENDERING", "to_rgb"]
