"""Elevation tiles of ground that is known everywhere: one hill on rolling land, at zoom 13.

The hill stands where the ancestor's terrain request points, between its five excluded points.
"""

import numpy as np
from tile_server import TileServer, png

ZOOM = 13
CENTRE = (1102351 + 441, 744375 + 378)  # column, row on the world of zoom 13
RADIUS = 78.0  # pixels; the nearest excluded point is 98 away
HEIGHT = 420.0  # m


def elevation(cols, rows):
    """Return metres at places of the world of zoom 13."""
    east, south = cols - CENTRE[0], rows - CENTRE[1]
    plain = 400 + 14 * np.sin(cols / 61) * np.cos(rows / 47) + 5 * np.sin((cols + 2 * rows) / 23)
    turn = np.arctan2(south, east)
    reach = np.hypot(east, south) / (RADIUS * (1 + 0.06 * np.cos(3 * turn + 1)))
    return plain + HEIGHT * (0.5 + 0.5 * np.cos(np.pi * np.minimum(1, reach))) ** 0.8


def hill(points=180):
    """Return the foot of the hill, (points, 2), columns and rows of the world of zoom 13."""
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    radius = RADIUS * (1 + 0.06 * np.cos(3 * turn + 1))
    return np.stack(
        [CENTRE[0] + radius * np.cos(turn), CENTRE[1] + radius * np.sin(turn)], axis=-1
    )


def terrarium(metres):
    """Return elevation as a tile in terrarium's colours."""
    steps = np.rint((np.asarray(metres, np.float64) + 32768) * 256).astype(np.int64)
    return png(np.stack([steps >> 16, steps >> 8 & 255, steps & 255], axis=-1))


def serve():
    """Return a server of tiles of zoom 13; there are no others."""

    def respond(path):
        zoom, x, y = (int(part) for part in path.removesuffix(".png").strip("/").split("/"))
        if zoom != ZOOM:
            return None
        cols, rows = np.meshgrid(np.arange(256) + x * 256.0, np.arange(256) + y * 256.0)
        return terrarium(elevation(cols + 0.5, rows + 0.5))

    return TileServer(respond=respond)
