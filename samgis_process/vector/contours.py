"""Outlines of a mask in pixels: smooth ones from its logits, or along its pixels' edges.

Positions are (col, row) from the outer corner of the upper-left pixel.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple, cast

import contourpy
import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float32]
# contourpy's OuterOffset: points of each polygon, and where its rings start in them
_Outlines = tuple[list[NDArray[np.float64]], list[NDArray[np.uint32]]]


class Patch(NamedTuple):
    """A part of a picture: float32 (rows, cols), and where its upper-left corner lies."""

    values: Floats
    col_off: int
    row_off: int


def upsample(logits: Floats, shape: tuple[int, int], scale: tuple[float, float]) -> Patch:
    """Return logits bilinearly resampled to a picture's pixels, where they can be above 0.

    Args:
        logits: float32 (grid rows, grid cols), values at the cells' centres.
        shape: (rows, cols) of the picture.
        scale: grid cells per picture pixel, in x and y.
    """
    rows = _reach((logits > 0).any(axis=1), shape[0], scale[1])
    cols = _reach((logits > 0).any(axis=0), shape[1], scale[0])
    above, row_share = _weights(rows, scale[1], logits.shape[0])
    before, col_share = _weights(cols, scale[0], logits.shape[1])
    below = np.minimum(above + 1, logits.shape[0] - 1)
    after = np.minimum(before + 1, logits.shape[1] - 1)
    lines = logits[above] * (1 - row_share[:, None]) + logits[below] * row_share[:, None]
    values = lines[:, before] * (1 - col_share) + lines[:, after] * col_share
    return Patch(values, cols.start, rows.start)


def _reach(above: NDArray[np.bool_], size: int, scale: float) -> range:
    """Return the pixels that two cells around the first and last positive ones cover."""
    cells = np.flatnonzero(above)
    if not cells.size:
        return range(0)
    start, stop = (cells[0] - 2) / scale, (cells[-1] + 3) / scale
    return range(max(0, math.floor(start)), min(size, math.ceil(stop)))


def _weights(pixels: range, scale: float, cells: int) -> tuple[NDArray[np.intp], Floats]:
    """Return for each pixel the cell before its centre and the share of the next one."""
    position = np.clip((np.array(pixels) + 0.5) * scale - 0.5, 0, cells - 1)
    before = position.astype(np.intp)
    return before, (position - before).astype(np.float32)


def smooth_polygons(patch: Patch) -> BaseGeometry:
    """Return the area where logits are above 0, by linear interpolation.

    The field is continued past its edge with the edge's values, so that an outline meets the
    frame at a right angle and lies on it, not half a pixel inside.
    """
    if not patch.values.size:
        return shapely.MultiPolygon()
    rows, cols = patch.values.shape
    generator = contourpy.contour_generator(
        z=np.pad(patch.values, 1, mode="edge"), fill_type=contourpy.FillType.OuterOffset
    )
    outlines, offsets = cast("_Outlines", generator.filled(0.0, np.inf))
    corner, frame = (patch.col_off, patch.row_off), (cols, rows)
    polygons = [
        _polygon(np.clip(points - 0.5, 0, frame) + corner, starts)
        for points, starts in zip(outlines, offsets, strict=True)
    ]
    return _union(polygons)


def pixel_polygons(patch: Patch) -> BaseGeometry:
    """Return the area where logits are above 0, along the edges of its pixels."""
    if not patch.values.size:
        return shapely.MultiPolygon()
    mask = patch.values > 0
    found = rasterio.features.shapes(
        mask.astype(np.uint8),
        mask=mask,
        connectivity=4,
        transform=Affine.translation(patch.col_off, patch.row_off),
    )
    return _union([shapely.geometry.shape(geometry) for geometry, _ in found])


def _polygon(points: NDArray[np.float64], starts: NDArray[np.uint32]) -> BaseGeometry:
    outer, *holes = (points[start:end] for start, end in pairwise(starts))
    return shapely.Polygon(outer, holes)


def _union(polygons: list[BaseGeometry]) -> BaseGeometry:
    """Join parts; clipping to the frame can fold an outline onto itself, which is mended here."""
    parts = shapely.make_valid(np.array(polygons, object))
    return only_area(shapely.union_all(parts))


def only_area(geometry: BaseGeometry) -> BaseGeometry:
    """Return the polygons of `geometry`, without the lines and points that mending may leave."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    areas = [part for part in parts if part.geom_type == "Polygon" and part.area > 0]
    return areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas)
