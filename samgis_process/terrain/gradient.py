"""Slope, aspect and shading from the gradient of a 3 x 3 neighbourhood.

Every function returns one cell less on each side than it gets. A neighbour that is not known makes
the result unknown: no edge is invented.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from samgis_process.terrain.surface import Metres, Surface

# Azimuths of the multi-directional hillshade, degrees (Mark 1992).
MARK_AZIMUTHS = (225.0, 270.0, 315.0, 360.0)
# Squared steepness, of a millimetre in a million kilometres. Below, ground is level: float32 holds
# no products of such gradients.
LEVEL = np.float32(1e-24)


class Gradient(NamedTuple):
    """Rise per metre on the ground towards east and south, float32 (rows, cols)."""

    east: Metres
    south: Metres


def horn(surface: Surface) -> Gradient:
    """Return the gradient by Horn's weights.

    Source: Horn 1981, "Hill shading and the reflectance map", doi:10.1109/PROC.1981.11918.
    Differences of cells, not of sums: near each other, those are exact in float32. The weights
    leave out the cell itself, but where that is unknown, so is its gradient.
    """
    z = surface.elevation
    across = z[:, 2:] - z[:, :-2]
    along = z[2:] - z[:-2]
    inner = slice(1, -1)
    east = _weighted(across[:-2], across[inner], across[2:])
    south = _weighted(along[:, :-2], along[:, inner], along[:, 2:])
    east /= 8 * surface.dx[inner, None]
    south /= 8 * surface.dy[inner, None]
    unknown = np.isnan(z[inner, inner])
    if unknown.any():
        east[unknown] = south[unknown] = np.nan
    return Gradient(east, south)


def _weighted(before: Metres, here: Metres, after: Metres) -> Metres:
    total: Metres = here + here
    total += before
    total += after
    return total


def steepness(gradient: Gradient) -> Metres:
    """Return the tangent of the slope."""
    squared = gradient.east * gradient.east
    squared += gradient.south * gradient.south
    result: Metres = np.sqrt(squared, out=squared)
    return result


def slope(surface: Surface) -> Metres:
    """Return degrees from horizontal."""
    return np.degrees(np.arctan(steepness(horn(surface))))


def aspect(surface: Surface) -> Metres:
    """Return the direction of descent, degrees clockwise from north; NaN on level ground."""
    east, south = horn(surface)
    degrees = np.degrees(np.arctan2(-east, south))
    degrees = np.where(degrees < 0, degrees + np.float32(360), degrees)
    # A bearing just below 0 becomes 360 in float32.
    degrees = np.where(degrees >= np.float32(360), np.float32(0), degrees)
    result: Metres = np.where((east == 0) & (south == 0), np.float32(np.nan), degrees)
    return result


def hillshade(surface: Surface, azimuth: float, altitude: float) -> Metres:
    """Return 255 times the cosine between the ground's normal and the sun, 0 in shadow.

    Source: Lambert's law on Horn's gradient; Burrough and McDonnell 1998, chapter 8.
    """
    gradient = horn(surface)
    return np.float32(255) * _lit(gradient, azimuth, altitude, _shortening(gradient))


def hillshade_multi(surface: Surface, altitude: float) -> Metres:
    """Return the mean of four hillshades, weighted by the square of the sine to the aspect.

    Source: Mark 1992, "Multidirectional, oblique-weighted, shaded-relief image", USGS Open-File
    Report 92-422.
    """
    return np.float32(255) * shade_multi(horn(surface), altitude)


def shade_multi(gradient: Gradient, altitude: float) -> Metres:
    """Return the same, 0 to 1, of a gradient."""
    east, south = gradient
    shortening = _shortening(gradient)
    squared = east * east + south * south
    flat = squared < LEVEL
    squared[flat] = 1
    total = np.zeros_like(squared)
    for azimuth in MARK_AZIMUTHS:
        turned = math.radians(azimuth)
        # sin(aspect - azimuth), times the steepness; the aspect points along (-east, south).
        away = -np.float32(math.cos(turned)) * east - np.float32(math.sin(turned)) * south
        total += away * away / squared * _lit(gradient, azimuth, altitude, shortening)
    level = np.float32(math.sin(math.radians(altitude)))
    result: Metres = np.where(flat, level, total / 2)
    return result


def _shortening(gradient: Gradient) -> Metres:
    """Return the cosine of the slope."""
    squared = gradient.east * gradient.east
    squared += gradient.south * gradient.south
    squared += 1
    result: Metres = np.reciprocal(np.sqrt(squared))
    return result


def _lit(gradient: Gradient, azimuth: float, altitude: float, shortening: Metres) -> Metres:
    """Return the cosine between the normal (-east, south, 1) and the sun, at least 0."""
    height, turned = math.radians(altitude), math.radians(azimuth)
    towards_east = np.float32(math.cos(height) * math.sin(turned))
    towards_north = np.float32(math.cos(height) * math.cos(turned))
    lit = gradient.south * towards_north
    lit -= gradient.east * towards_east
    lit += np.float32(math.sin(height))
    lit *= shortening
    result: Metres = np.maximum(lit, 0, out=lit)
    return result
