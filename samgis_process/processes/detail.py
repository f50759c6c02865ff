"""A second look at small objects of wide windows, at the source's own resolution.

A window with more source pixels than the model's frame is seen shrunk. Where an object is small
in it, a crop around the object is encoded again and prompted with what the first look found.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from samgis_process.embeddings.replay import FramePrompts, frame_prompts
from samgis_process.grid import GeoBox
from samgis_process.inference.frame import GRID, InputFrame
from samgis_process.inference.masks import Mask
from samgis_process.processes.outlines import Box
from samgis_process.processes.views import View, box_pixels
from samgis_process.prompts import Target

Detail = Literal["auto", "never", "always"]

SMALL = 64  # pixels of the frame: under that the second look wins
AROUND = 4  # sides of the object that the crop is wide
LEAST = 256  # source pixels along the crop
STEP = 64  # crops lie on this grid, so that the next click on the object meets the same one
AGREE = (0.5, 2.0)  # ratio of the areas outside of which the first look is kept


def crop_around(box: Box, grid: GeoBox, frame: InputFrame, wish: Detail) -> GeoBox | None:
    """Return the window of the second look at an object, or None where none is due.

    Args:
        box: the object's, in pixels of `grid`.
    """
    if wish == "never" or box.right <= box.left or box.bottom <= box.top:
        return None
    side = max(box.right - box.left, box.bottom - box.top)
    wide = max(grid.width, grid.height) > frame.side
    if wish == "auto" and not (wide and side * max(frame.scale) < SMALL):
        return None
    left, width = _span(box.left, box.right, side, grid.width)
    top, height = _span(box.top, box.bottom, side, grid.height)
    if width >= grid.width and height >= grid.height:
        return None
    return replace(
        grid,
        col_off=(grid.col_off + left) % grid.world_size,
        row_off=grid.row_off + top,
        width=width,
        height=height,
    )


def offset(crop: GeoBox, grid: GeoBox) -> tuple[int, int]:
    """Return (columns, rows) from the corner of `grid` to that of a crop of it."""
    return (crop.col_off - grid.col_off) % grid.world_size, crop.row_off - grid.row_off


def prompts_for(target: Target, box: Box, view: View) -> FramePrompts:
    """Return what the second look is prompted with: the object's box, and the points in sight.

    Args:
        box: in pixels of the crop.
    """
    rows = [view.box_rows(box)]
    for prompt in target.prompts:
        if prompt.at is not None:
            col, row = view.grid.pixel(prompt.at)
            if 0 <= col <= view.grid.width and 0 <= row <= view.grid.height:
                rows.append(view.rows(prompt))
    return frame_prompts(rows)


def start_from(mask: Mask, first: View, second: View) -> Mask:
    """Return what the first look found, on the grid of the second."""
    cols, rows = offset(second.grid, first.grid)
    logits = _resampled(mask.logits, first.frame, second.frame, (cols, rows))
    return replace(mask, logits=logits)


def agrees(first: BaseGeometry, second: BaseGeometry) -> bool:
    """Tell whether two outlines can be of the same object."""
    least, most = AGREE
    return bool(first.area) and least <= second.area / first.area <= most


def object_box(target: Target, outline: BaseGeometry, grid: GeoBox) -> Box:
    """Return the rectangle drawn around an object, or that of its outline, in pixels of `grid`."""
    if target.box:
        return box_pixels(target.box, grid)
    return Box(*outline.bounds)


def _span(low: float, high: float, side: float, limit: int) -> tuple[int, int]:
    """Return start and length of the crop along one axis."""
    half = max(AROUND * side, LEAST) / 2
    middle = (low + high) / 2
    start = max(0, math.floor((middle - half) / STEP) * STEP)
    stop = min(limit, math.ceil((middle + half) / STEP) * STEP)
    return start, stop - start


def _resampled(
    logits: NDArray[np.float16], source: InputFrame, target: InputFrame, off: tuple[int, int]
) -> NDArray[np.float16]:
    """Return logits of one frame on the mask grid of another that lies inside, bilinearly."""
    col, col_share = _places(source, target, 0, off[0])
    row, row_share = _places(source, target, 1, off[1])
    values = logits.astype(np.float32)
    lines = values[row] * (1 - row_share[:, None]) + values[row + 1] * row_share[:, None]
    return (lines[:, col] * (1 - col_share) + lines[:, col + 1] * col_share).astype(np.float16)


def _places(
    source: InputFrame, target: InputFrame, axis: int, off: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return for each cell of the target's grid the source's cell before it, and the next's share.

    Cells beyond the source's edge take the edge's values.
    """
    pixel = (np.arange(GRID) + 0.5) * target.side / GRID / target.scale[axis] + off
    place = np.clip(pixel * source.scale[axis] * GRID / source.side - 0.5, 0, GRID - 1.001)
    before = place.astype(np.intp)
    return before, (place - before).astype(np.float32)
