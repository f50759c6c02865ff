"""From shapes to pixels: coverage with soft edges, and distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from PIL import Image, ImageDraw
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from samgis_process.sources.sample.noise import Floats, enlarge

FINE = 4  # sub-pixels per side: 16 steps of coverage, below the noise of the picture


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of whole pixels, stop exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """The same as an index into the whole picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def centres(self) -> tuple[Floats, Floats]:
        """Return the (cols, rows) of the pixels' centres, to be broadcast."""
        cols, rows = np.arange(self.left, self.right), np.arange(self.top, self.bottom)
        return (cols[None, :] + 0.5).astype(np.float32), (rows[:, None] + 0.5).astype(np.float32)


def patch_of(outline: BaseGeometry, side: int, margin: float = 1.0) -> Patch | None:
    """Return the pixels around `outline` inside the scene of `side` pixels; None if outside."""
    left, top, right, bottom = outline.bounds
    low = np.floor(np.clip([left - margin, top - margin], 0, side)).astype(int)
    high = np.ceil(np.clip([right + margin, bottom + margin], 0, side)).astype(int)
    if (low >= high).any():
        return None
    return Patch(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def coverage(outline: Polygon, patch: Patch) -> Floats:
    """Return the part of each pixel of `patch` that lies inside `outline`, 0..1."""
    rows, cols = patch.shape
    fine = Image.new("L", (cols * FINE, rows * FINE))
    draw = ImageDraw.Draw(fine)
    for ring, value in [(outline.exterior, 255), *((hole, 0) for hole in outline.interiors)]:
        draw.polygon(_fine_positions(ring, patch), fill=value)
    coarse = fine.reduce(FINE)
    return np.asarray(coarse, np.float32) / np.float32(255)


def _fine_positions(ring: BaseGeometry, patch: Patch) -> list[tuple[float, float]]:
    # Pillow draws between centres of pixels; ours are positions from the outer corner.
    at = (np.array(ring.coords) - (patch.left, patch.top)) * FINE - 0.5
    return [(float(col), float(row)) for col, row in at]


def distance(geometry: BaseGeometry, patch: Patch, step: int) -> Floats:
    """Return the distance to `geometry`, pixels, sampled every `step` pixels and enlarged."""
    rows, cols = (max(2, size // step) for size in patch.shape)
    at_col = patch.left + (np.arange(cols) + 0.5) * (patch.shape[1] / cols)
    at_row = patch.top + (np.arange(rows) + 0.5) * (patch.shape[0] / rows)
    points = shapely.points(*np.meshgrid(at_col, at_row))
    shapely.prepare(geometry)
    return enlarge(np.asarray(shapely.distance(geometry, points), np.float32), patch.shape)
