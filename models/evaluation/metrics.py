"""Measures of masks and scores."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from models.evaluation.protocol import Mask, extent, iou

Floats = NDArray[np.float64]
BAND = 0.02  # of the picture's diagonal
BINS = 10


def boundary_iou(first: Mask, second: Mask, width: int | None = None) -> float:
    """Return the IoU of two masks' inner bands along their borders.

    A band is what lies within `width` pixels of the mask's border, counted in steps to the eight
    neighbours; the picture's edge is border too. By default 2 % of the diagonal, at least 1.
    Source: Cheng et al. 2021, arXiv:2103.16562.
    """
    width = width or band_width(first.shape)
    rows, cols = extent(first | second)
    return iou(_band(first[rows, cols], width), _band(second[rows, cols], width))


def band_width(shape: tuple[int, ...]) -> int:
    """Return the band's width in pixels for pictures of `shape`."""
    return max(1, math.floor(BAND * math.hypot(*shape) + 0.5))


def _band(mask: Mask, width: int) -> Mask:
    distance = ndimage.distance_transform_cdt(np.pad(mask, 1), "chessboard")[1:-1, 1:-1]
    return np.asarray(mask & (distance <= width))


def calibration(scores: Floats, ious: Floats) -> dict[str, object]:
    """Return how well `scores` foretell `ious`.

    `error` is the mean difference, `spearman` the rank correlation, `bins` has one row for each
    tenth of the score's range that holds anything: from, to, count, mean score, mean IoU.
    """
    rank = stats.spearmanr(scores, ious).statistic if np.ptp(scores) and np.ptp(ious) else math.nan
    place = np.clip((scores * BINS).astype(int), 0, BINS - 1)
    bins = [
        [
            k / BINS,
            (k + 1) / BINS,
            int(here.sum()),
            float(scores[here].mean()),
            float(ious[here].mean()),
        ]
        for k in range(BINS)
        if (here := place == k).any()
    ]
    return {
        "count": len(scores),
        "error": float(np.abs(scores - ious).mean()),
        "bias": float((scores - ious).mean()),
        "spearman": float(rank),
        "bins": bins,
    }
