"""Where pixels sit: positions, bounds and the GeoBox that owns the maths between them."""

from samgis_process.grid.geobox import GeoBox
from samgis_process.grid.mercator import EARTH_RADIUS, MAX_LAT, Bounds, LngLat, Pixel

__all__ = ["EARTH_RADIUS", "MAX_LAT", "Bounds", "GeoBox", "LngLat", "Pixel"]
