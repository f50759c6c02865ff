"""From logits to polygons on the map."""

from samgis_process.vector.contours import Patch, pixel_polygons, smooth_polygons, upsample
from samgis_process.vector.orthogonal import orthogonalized
from samgis_process.vector.shapes import Shaping, geodesic_area, shape
from samgis_process.vector.wgs84 import to_lnglat

__all__ = [
    "Patch",
    "Shaping",
    "geodesic_area",
    "orthogonalized",
    "pixel_polygons",
    "shape",
    "smooth_polygons",
    "to_lnglat",
    "upsample",
]
