"""Surfaces of other grids than the server's own, for comparisons with other tools."""

import math

import numpy as np

from samgis_process.grid import EARTH_RADIUS
from samgis_process.terrain import Surface


def even(elevation, dx, dy):
    """Return a surface whose cells are all of one size, as in a projected raster."""
    rows = len(elevation)
    return Surface(elevation, np.full(rows, dx, np.float32), np.full(rows, dy, np.float32))


def on_degrees(elevation, north, step_lng, step_lat):
    """Return a surface on a geographic grid, on the sphere; `north` is its upper edge."""
    degree = math.radians(EARTH_RADIUS)
    lats = [north - (row + 0.5) * step_lat for row in range(len(elevation))]
    dx = [degree * step_lng * math.cos(math.radians(lat)) for lat in lats]
    dy = np.full(len(lats), degree * step_lat, np.float32)
    return Surface(elevation, np.array(dx, np.float32), dy)
