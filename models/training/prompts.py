"""Whoever clicks, simulated on the decoder's 256 grid: first prompts and corrections.

A cell's centre lies at cell * 4 + 1.5 pixels of the input frame, counted from pixel centres.
Truth is soft: the share of each cell that the object covers, float32 (256, 256).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage as ndi

Rng = np.random.Generator
GRID = 256
CELL = 4  # frame pixels
INCLUDE, EXCLUDE, PADDING = 1, 0, -1
CORNERS = (2, 3)


class Prompts(NamedTuple):
    """What was asked so far: coords in the frame, their labels, whether a box leads."""

    coords: list[tuple[float, float]]
    labels: list[int]
    boxed: bool

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 (N, 2) and (N,) as the decoder wants them."""
        padded = not self.boxed  # a padding point stands where a box is missing
        coords = self.coords + [(0.0, 0.0)] * padded
        labels = self.labels + [PADDING] * padded
        return np.array(coords, np.float32), np.array(labels, np.float32)


def in_frame(cell: tuple[float, float]) -> tuple[float, float]:
    """Return (x, y) in the frame of a (col, row) on the grid."""
    return cell[0] * CELL + 1.5, cell[1] * CELL + 1.5


def soft_truth(labels: np.ndarray, number: int, size: tuple[int, int]) -> np.ndarray:
    """Return how much of each cell object `number` covers; `size` is (width, height) framed."""
    width, height = size
    rows = (np.arange(height) + 0.5) * labels.shape[0] / height
    cols = (np.arange(width) + 0.5) * labels.shape[1] / width
    full = np.zeros((GRID * CELL, GRID * CELL), np.float32)
    full[:height, :width] = (labels == number)[rows.astype(int)][:, cols.astype(int)]
    return full.reshape(GRID, CELL, GRID, CELL).mean((1, 3))


def first(truth: np.ndarray, rng: Rng, boxes: float = 0.4, random_click: float = 0.25) -> Prompts:
    """Return the first prompt: mostly a click at the middle, else anywhere inside, or a box."""
    inside = truth > 0.5
    if not inside.any():
        inside = truth >= truth.max()
    if rng.random() < boxes:
        return box(truth, rng)
    cell = anywhere(inside, rng) if rng.random() < random_click else middle(inside)
    return Prompts([in_frame(cell)], [INCLUDE], False)


def box(truth: np.ndarray, rng: Rng, share: float = 0.06) -> Prompts:
    """Return a box whose sides are off by up to `share` of its extent."""
    rows, cols = np.nonzero(truth > 0.25)
    low = np.array([cols.min(), rows.min()], float) * CELL
    high = np.array([cols.max() + 1, rows.max() + 1], float) * CELL - 1
    off = rng.uniform(-share, share, (2, 2)) * (high - low)
    corners = np.clip(np.array([low, high]) + off, 0, GRID * CELL - 1)
    return Prompts([tuple(corner) for corner in corners], list(CORNERS), True)


def correction(
    truth: np.ndarray, mask: np.ndarray, rng: Rng
) -> tuple[tuple[float, float], int] | None:
    """Return ((x, y), label) in the largest region in error; None when all is right."""
    inside, best = truth > 0.5, (0, None, INCLUDE)
    for label, wrong in ((INCLUDE, inside & ~mask), (EXCLUDE, mask & ~inside & (truth < 0.25))):
        parts, count = ndi.label(wrong)
        if count:
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0
            part = int(sizes.argmax())
            if sizes[part] > best[0]:
                best = (int(sizes[part]), parts == part, label)
    if best[1] is None:
        return None
    cell = anywhere(best[1], rng) if rng.random() < 0.2 else middle(best[1])
    return in_frame(cell), best[2]


def middle(region: np.ndarray) -> tuple[float, float]:
    """Return (col, row) of the cell farthest from the region's border."""
    place = ndi.find_objects(region.astype(np.uint8))[0]
    depth = ndi.distance_transform_edt(np.pad(region[place], 1))[1:-1, 1:-1]
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(col + place[1].start), float(row + place[0].start)


def anywhere(region: np.ndarray, rng: Rng) -> tuple[float, float]:
    """Return (col, row) of any cell of the region."""
    rows, cols = np.nonzero(region)
    pick = rng.integers(len(rows))
    return float(cols[pick]), float(rows[pick])
