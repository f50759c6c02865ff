"""The click protocol: prompts as a careful user gives them, the same for everyone.

The first click is the pixel farthest from the object's border, the next ones the same in the
largest connected region in error; the box is the tight one with each side moved by up to 5 %.
Positions are (x, y) of pixel centres at whole numbers; a box includes its last pixels.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

SEED = 20240607
AT_MOST = 12  # objects of a picture
MIN_SHARE, MAX_SHARE = 0.001, 0.6  # of the picture
JITTER = 0.05
Box = tuple[float, float, float, float]


def chosen_objects(labels: np.ndarray, key: str) -> list[int]:
    """Return the objects to ask for, at most 12, by a rule seeded from the picture's name."""
    share = np.bincount(labels.ravel()) / labels.size
    fitting = [i for i in range(1, len(share)) if MIN_SHARE <= share[i] <= MAX_SHARE]
    if len(fitting) <= AT_MOST:
        return fitting
    seed = SEED
    for character in key.encode():
        seed = (seed * 131 + character) % 2**32
    picked = np.random.RandomState(seed).choice(fitting, AT_MOST, replace=False)
    return sorted(int(i) for i in picked)


def middle(region: np.ndarray) -> tuple[float, float]:
    """Return the pixel farthest from the region's border; the picture's edge is border too."""
    rows, cols = ndi.find_objects(region.astype(np.uint8))[0]
    depth = ndi.distance_transform_edt(np.pad(region[rows, cols], 1))[1:-1, 1:-1]
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(col + cols.start), float(row + rows.start)


def next_click(truth: np.ndarray, mask: np.ndarray) -> tuple[float, float, int] | None:
    """Return (x, y, label) in the largest region in error, None where nothing is wrong."""
    best: tuple[int, np.ndarray | None, int] = (0, None, 1)
    for label, wrong in ((1, truth & ~mask), (0, mask & ~truth)):
        parts, count = ndi.label(wrong)
        if count:
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0
            part = int(sizes.argmax())
            if sizes[part] > best[0]:
                best = (int(sizes[part]), parts == part, label)
    return None if best[1] is None else (*middle(best[1]), best[2])


def jittered_box(truth: np.ndarray, number: int) -> Box:
    """Return the tight box of the object, its sides moved by a rule seeded from its number."""
    rows, cols = np.nonzero(truth)
    left, right, top, bottom = cols.min(), cols.max(), rows.min(), rows.max()
    width, height = right - left + 1, bottom - top + 1
    seed = (SEED + 7919 * number) % 2**32
    off = np.random.RandomState(seed).uniform(-JITTER, JITTER, 4)
    last = truth.shape[1] - 1, truth.shape[0] - 1
    left, right = np.clip([left + off[0] * width, right + off[2] * width], 0, last[0])
    top, bottom = np.clip([top + off[1] * height, bottom + off[3] * height], 0, last[1])
    return float(left), float(top), float(right), float(bottom)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Return intersection over union of two masks, 1 where both are empty."""
    union = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / union) if union else 1.0
