"""Ground of which slope, aspect and curvature are known in closed form, and where it lies.

A shape is a function of metres east and north with its derivatives written out by hand; a place
says where the cells are, by formulas of its own. Neither uses the code under test.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import surfaces

SPHERE = 6_378_137.0  # m, the radius of Web Mercator's sphere
TINY = 1e-12  # where the ground is level no direction is the steepest


class Derivatives(NamedTuple):
    """Of a height z(x, y), x to the east, y to the north."""

    z: np.ndarray
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray


def plane(east, north):
    """Return a plane that rises by so much per metre."""
    return lambda x, y: Derivatives(
        east * x + north * y, *(v + 0 * (x + y) for v in (east, north, 0, 0, 0))
    )


def quadric(xx, xy, yy, east=0.0, north=0.0):
    """Return a paraboloid or saddle of these second derivatives, tilted at the origin."""

    def of(x, y):
        z = xx * x * x / 2 + xy * x * y + yy * y * y / 2 + east * x + north * y
        flat = 0 * (x + y)
        return Derivatives(
            z, xx * x + xy * y + east, xy * x + yy * y + north, xx + flat, xy + flat, yy + flat
        )

    return of


def waves(height, long, short):
    """Return crossing waves, height * sin(x / long) * cos(y / short)."""

    def of(x, y):
        sx, cx = np.sin(x / long), np.cos(x / long)
        sy, cy = np.sin(y / short), np.cos(y / short)
        return Derivatives(
            height * sx * cy,
            height * cx * cy / long,
            -height * sx * sy / short,
            -height * sx * cy / long**2,
            -height * cx * sy / (long * short),
            -height * sx * cy / short**2,
        )

    return of


def cone(steepness):
    """Return a mountain that falls by `steepness` per metre in all directions."""

    def of(x, y):
        r = np.hypot(x, y)
        with np.errstate(invalid="ignore", divide="ignore"):
            ux, uy = x / r, y / r
            return Derivatives(
                -steepness * r,
                -steepness * ux,
                -steepness * uy,
                -steepness * uy * uy / r,
                steepness * ux * uy / r,
                -steepness * ux * ux / r,
            )

    return of


@dataclass(frozen=True)
class Place:
    """Cells on the ground.

    Attributes:
        x, y: metres east and north of each cell, to be put into a shape; (1, cols), (rows, 1).
        stretch: by how much steeper the ground is towards east than the shape, by row.
        surface: makes a `Surface` of heights.
    """

    x: np.ndarray
    y: np.ndarray
    stretch: np.ndarray
    surface: object

    def __call__(self, shape):
        """Return the surface of a shape and, as float64, its derivatives on the ground."""
        d = shape(self.x, self.y)
        s = self.stretch
        on_ground = Derivatives(d.z, d.x * s, d.y, d.xx * s * s, d.xy * s, d.yy)
        return self.surface(d.z.astype(np.float32)), on_ground


def even(dx, dy, rows, cols, origin):
    """Return a projected raster; `origin` is the cell, (row, col), where x = y = 0."""

    x = (np.arange(cols)[None] - origin[1]) * dx
    y = -(np.arange(rows)[:, None] - origin[0]) * dy
    return Place(x, y, np.ones((rows, 1)), lambda z: surfaces.even(z, dx, dy))


def on_mercator(lat, zoom, rows, cols, origin, lng=11.0):
    """Return a window of Web Mercator whose `origin` lies near a latitude."""
    from samgis_process.grid import GeoBox
    from samgis_process.terrain import Surface

    world = 256 << zoom
    northing = math.asinh(math.tan(math.radians(lat)))
    row_off = math.floor(world / 2 * (1 - northing / math.pi) - origin[0])
    col_off = math.floor(world * (lng + 180) / 360) - origin[1]
    northings = math.pi * (1 - 2 * (row_off + np.arange(rows) + 0.5) / world)
    lats = np.arctan(np.sinh(northings))[:, None]
    turns = 2 * np.pi * (np.arange(cols)[None] - origin[1]) / world
    grid = GeoBox(zoom, col_off, row_off, cols, rows)
    return _on_sphere(lats, turns, origin, lambda z: Surface.on_mercator(z, grid))


def on_degrees(lat, step_lng, step_lat, rows, cols, origin):
    """Return a geographic raster whose `origin` lies at a latitude."""

    lats = np.radians(lat - (np.arange(rows) - origin[0]) * step_lat)[:, None]
    turns = np.radians((np.arange(cols)[None] - origin[1]) * step_lng)
    north = lat + (origin[0] + 0.5) * step_lat
    return _on_sphere(
        lats, turns, origin, lambda z: surfaces.on_degrees(z, north, step_lng, step_lat)
    )


def _on_sphere(lats, turns, origin, surface):
    """Return metres along the parallel of the origin and along the meridian.

    A parallel elsewhere is shorter or longer, and the same rise along it steeper or gentler.
    """
    middle = lats[origin[0], 0]
    x = SPHERE * math.cos(middle) * turns
    y = SPHERE * (lats - middle)
    return Place(x, y, math.cos(middle) / np.cos(lats), surface)


# What the layers should be: textbook formulas of the derivatives


def slope(d):
    """Return degrees from horizontal."""
    return np.degrees(np.arctan(np.hypot(d.x, d.y)))


def aspect(d):
    """Return the direction of descent, degrees clockwise from north."""
    return np.degrees(np.arctan2(-d.x, -d.y)) % 360


def profile_curvature(d):
    """Return minus the second derivative along the gradient, in the map plane."""
    squared = np.maximum(d.x**2 + d.y**2, TINY)
    return -(d.xx * d.x**2 + 2 * d.xy * d.x * d.y + d.yy * d.y**2) / squared


def plan_curvature(d):
    """Return minus the second derivative across the gradient, in the map plane."""
    squared = np.maximum(d.x**2 + d.y**2, TINY)
    return -(d.xx * d.y**2 - 2 * d.xy * d.x * d.y + d.yy * d.x**2) / squared


def curvature(d):
    """Return minus the Laplacian."""
    return -(d.xx + d.yy)


def hillshade(d, azimuth=315.0, altitude=45.0):
    """Return 255 times the cosine of incidence, by the spherical law of cosines."""
    tilt, zenith = np.radians(slope(d)), math.radians(90 - altitude)
    turn = np.radians(azimuth - aspect(d))
    lit = math.cos(zenith) * np.cos(tilt) + math.sin(zenith) * np.sin(tilt) * np.cos(turn)
    return 255 * np.maximum(lit, 0)


def hillshade_multi(d, altitude=45.0):
    """Return Mark's mean: each of four suns counts by sin^2 of its angle to the aspect."""
    azimuths = (225, 270, 315, 360)
    weights = [np.sin(np.radians(aspect(d) - azimuth)) ** 2 for azimuth in azimuths]
    suns = [hillshade(d, azimuth, altitude) for azimuth in azimuths]
    return sum(w * sun for w, sun in zip(weights, suns, strict=True)) / sum(weights)


CLOSED = {
    "slope": slope,
    "aspect": aspect,
    "profile_curvature": profile_curvature,
    "plan_curvature": plan_curvature,
    "curvature": curvature,
    "hillshade": hillshade,
    "hillshade_multi": hillshade_multi,
}


def turned(first, second):
    """Return the angle between two bearings, degrees."""
    return np.abs((np.asarray(first, np.float64) - second + 180) % 360 - 180)
