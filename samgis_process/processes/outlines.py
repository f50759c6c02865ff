"""From a mask's logits to outlines in pixels of the picture."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from samgis_process.inference.frame import GRID, InputFrame
from samgis_process.vector import Patch, pixel_polygons, smooth_polygons, upsample

Contour = Literal["smooth", "pixel"]


class Box(NamedTuple):
    """A rectangle in pixels, edges counted from the outer corner of the upper-left pixel."""

    left: float
    top: float
    right: float
    bottom: float

    def widened(self, share: float, least: float = 1.0) -> Box:
        """Return it with a share of its sides added on each, at least `least` pixels."""
        across = max(least, (self.right - self.left) * share)
        along = max(least, (self.bottom - self.top) * share)
        return Box(self.left - across, self.top - along, self.right + across, self.bottom + along)

    def moved(self, cols: float, rows: float) -> Box:
        """Return it shifted."""
        return Box(self.left + cols, self.top + rows, self.right + cols, self.bottom + rows)


def outline(
    logits: NDArray[np.float16],
    frame: InputFrame,
    contour: Contour = "smooth",
    valid: NDArray[np.bool_] | None = None,
    clip: Box | None = None,
) -> BaseGeometry:
    """Return the area where logits are above 0, in pixels of the picture.

    Args:
        logits: (256, 256), over the whole input frame.
        valid: bool (rows, cols) of the picture, False where the source holds nothing.
        clip: what lies outside is cut off.
    """
    rows, cols = frame.held
    width, height = _canvas(contour, frame)
    scale = (frame.resized[0] / width, frame.resized[1] / height)
    patch = upsample(
        logits[:rows, :cols].astype(np.float32),
        (height, width),
        (scale[0] * GRID / frame.side, scale[1] * GRID / frame.side),
    )
    if valid is not None:
        patch = _only_valid(patch, valid, (width / frame.width, height / frame.height))
    drawn = pixel_polygons(patch) if contour == "pixel" else smooth_polygons(patch)
    placed = shapely.transform(drawn, lambda xy: xy * (frame.width / width, frame.height / height))
    return placed if clip is None else shapely.clip_by_rect(placed, *clip)


def _canvas(contour: Contour, frame: InputFrame) -> tuple[int, int]:
    """Return (width, height) of the pixels to draw on: the window's, or the frame's if fewer.

    Finer than the frame there is nothing to see, but exact pixel edges are the window's.
    """
    own = (frame.width, frame.height)
    if contour == "pixel":
        return own
    return min(own[0], frame.resized[0]), min(own[1], frame.resized[1])


def _only_valid(patch: Patch, valid: NDArray[np.bool_], scale: tuple[float, float]) -> Patch:
    """Return the patch with nothing above 0 where the source holds nothing."""
    rows, cols = patch.values.shape
    at_row = ((np.arange(rows) + patch.row_off + 0.5) / scale[1]).astype(int)
    at_col = ((np.arange(cols) + patch.col_off + 0.5) / scale[0]).astype(int)
    there = valid[np.ix_(at_row, at_col)]
    values = np.where(there, patch.values, -np.abs(patch.values) - 1)
    return Patch(values.astype(np.float32), patch.col_off, patch.row_off)
