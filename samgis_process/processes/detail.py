"""A second look at small objects of wide windows, at the source's own resolution.

A window with more source pixels than the model's frame is seen shrunk. Where an object is small
in it, a crop around the object is encoded again and prompted with what the first look found.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from samgis_process.embeddings.replay import FramePrompts, frame_prompts
from samgis_process.grid import GeoBox
from samgis_process.inference.frame import GRID, InputFrame
from samgis_process.processes.outlines import Box
from samgis_process.processes.views import View, box_pixels
from samgis_process.prompts import Prompt, Target

Detail = Literal["auto", "never", "always"]

# Pixels of the frame under which the second look wins; a box that somebody drew is known to be the
# object's, the outline of a first look is not.
SMALL = 64
SMALL_BOX = 128
AROUND = 4  # sides of the object that the crop is wide
LEAST = 256  # source pixels along the crop
MOST = 16  # second looks in one request: each may take an encoder run
STEP = 64  # crops lie on this grid, so that the next click on the object meets the same one


class Crop(NamedTuple):
    """A rectangle of whole pixels of a window."""

    col_off: int
    row_off: int
    width: int
    height: int

    def of(self, grid: GeoBox) -> GeoBox:
        """Return it as a window of its own."""
        return replace(
            grid,
            col_off=(grid.col_off + self.col_off) % grid.world_size,
            row_off=grid.row_off + self.row_off,
            width=self.width,
            height=self.height,
        )


def size_px(box: Box, frame: InputFrame) -> float:
    """Return the longer side of a rectangle of the picture, in pixels of the input frame."""
    across, along = frame.scale
    return max((box.right - box.left) * across, (box.bottom - box.top) * along)


def is_due(box: Box, frame: InputFrame, wish: Detail, *, drawn: bool) -> bool:
    """Tell whether an object shall be looked at again.

    Args:
        box: the object's, in pixels of the picture.
        frame: how the picture lies before the model.
        drawn: somebody drew the box; else it is that of the first outline.
    """
    if wish == "never" or box.right <= box.left or box.bottom <= box.top:
        return False
    shrunk = max(frame.width, frame.height) > frame.side
    return wish == "always" or (shrunk and size_px(box, frame) < (SMALL_BOX if drawn else SMALL))


def crop_around(
    box: Box, frame: InputFrame, *, around: float = AROUND, least: int = LEAST
) -> Crop:
    """Return what the second look sees of the picture."""
    side = max(around * max(box.right - box.left, box.bottom - box.top), least)
    left, right = _span(box.left, box.right, side, frame.width)
    top, bottom = _span(box.top, box.bottom, side, frame.height)
    return Crop(left, top, right - left, bottom - top)


def _span(low: float, high: float, side: float, limit: int) -> tuple[int, int]:
    """Return where the crop starts and ends along one axis."""
    middle = (low + high) / 2
    start = math.floor((middle - side / 2) / STEP) * STEP
    stop = math.ceil((middle + side / 2) / STEP) * STEP
    return max(0, start), min(limit, stop)


def prompts_for(target: Target, view: View) -> FramePrompts | None:
    """Return what the second look is prompted with: what was drawn and lies in its sight.

    None where no point to include and no box does.
    """
    seen = [prompt for prompt in target.prompts if prompt.box or _in_sight(prompt, view)]
    if not any(prompt.include for prompt in seen):
        return None
    return frame_prompts([view.rows(prompt) for prompt in seen])


def _in_sight(prompt: Prompt, view: View) -> bool:
    if prompt.at is None:
        return False
    col, row = view.grid.pixel(prompt.at)
    return 0 <= col <= view.grid.width and 0 <= row <= view.grid.height


def object_box(target: Target, outline: BaseGeometry, grid: GeoBox) -> Box:
    """Return the rectangle drawn around an object, or that of its outline, in pixels of `grid`."""
    if target.box:
        return box_pixels(target.box, grid)
    return Box(*outline.bounds)


def cropped(
    logits: NDArray[np.float16], frame: InputFrame, crop: Crop, crop_frame: InputFrame
) -> NDArray[np.float16]:
    """Return the logits (256, 256) of a picture on the mask grid of a crop of it, bilinearly.

    Args:
        frame: how the picture lies before the model.
        crop_frame: how the crop does.
    """
    row, row_share = _places(frame, crop_frame, 1, crop.row_off)
    col, col_share = _places(frame, crop_frame, 0, crop.col_off)
    values = logits.astype(np.float32)
    lines = values[row] * (1 - row_share[:, None]) + values[row + 1] * row_share[:, None]
    return (lines[:, col] * (1 - col_share) + lines[:, col + 1] * col_share).astype(np.float16)


def _places(
    frame: InputFrame, crop_frame: InputFrame, axis: int, off: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return for each cell of the crop's grid the picture's cell before it, and the next's share.

    Cells beyond the picture's edge take the edge's values.
    """
    pixel = (np.arange(GRID) + 0.5) * crop_frame.side / GRID / crop_frame.scale[axis] + off
    last = frame.held[1 - axis] - 1
    place = np.clip(pixel * frame.scale[axis] * GRID / frame.side - 0.5, 0, last)
    before = np.minimum(place.astype(np.intp), GRID - 2)
    return before, (place - before).astype(np.float32)
