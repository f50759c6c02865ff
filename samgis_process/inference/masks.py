"""Which of the decoder's masks is the answer, which others there are, how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from samgis_process.inference.model import Decoded

Kind = Literal["click", "clicks", "box"]  # one include point alone; several prompts; with a box

SINGLE = 0  # the decoder's one reading of a clear prompt; 1, 2 and 3 are whole, part, subpart
# A mask that fills the window is, on repetitive ground, the model's favourite wrong answer.
# Ranked by predicted IoU + stability under this share of the window, one click reaches a mean IoU
# of .659 on 583 objects; by predicted IoU alone .643.
WHOLE_WINDOW = 0.7
STABILITY_OFFSET = 1.0  # logits, as in the reference implementation
ALIKE = 0.9  # IoU from which two masks are the same answer


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """One mask of the decoder.

    Attributes:
        logits: float16 (256, 256), rounded so that a kept answer equals a fresh one.
        predicted_iou: the model's own guess of its quality, about 0 to 1.
        stability: IoU of the masks at a threshold a little higher and a little lower.
        share: of the window that it covers.
    """

    logits: NDArray[np.float16]
    predicted_iou: float
    stability: float
    share: float

    @property
    def score(self) -> float:
        """Estimate of the mask's IoU with the truth, 0 to 1; not calibrated yet."""
        return min(1.0, max(0.0, self.predicted_iou)) * self.stability


class _Rating(NamedTuple):
    """What masks are ranked by, most telling first."""

    guarded: bool
    trust: float
    stability: float
    share: float
    number: int


def choose(decoded: Decoded, held: tuple[int, int], kind: Kind, *, single: bool) -> Mask:
    """Return the mask to answer with.

    Args:
        held: (rows, cols) of the grid that hold picture; the rest is padding.
        kind: a single click may mean a part or the whole.
        single: the first mask is the reading of a clear prompt (`Model.single`).
    """
    return _mask(decoded, _ranked(decoded, held, kind, single=single)[0])


def rank(decoded: Decoded, held: tuple[int, int], kind: Kind, *, single: bool) -> list[Mask]:
    """Return the mask to answer with, then the others that differ from it and are not empty."""
    rows, cols = held
    kept: list[_Rating] = []
    for rating in _ranked(decoded, held, kind, single=single):
        area = decoded.logits[rating.number, :rows, :cols] > 0
        others = (decoded.logits[one.number, :rows, :cols] > 0 for one in kept)
        if not kept or (area.any() and all(_iou(area, other) < ALIKE for other in others)):
            kept.append(rating)
    return [_mask(decoded, rating) for rating in kept]


def _ranked(decoded: Decoded, held: tuple[int, int], kind: Kind, *, single: bool) -> list[_Rating]:
    rows, cols = held
    ratings = [
        _rate(logits[:rows, :cols], float(iou), index)
        for index, (logits, iou) in enumerate(
            zip(decoded.logits, decoded.predicted_iou, strict=True)
        )
    ]
    best_first = sorted(ratings, reverse=True)
    if not single or len(ratings) == 1:
        return best_first
    # The single reading leads where the prompt is clear, and comes last where it is not.
    one = next(rating for rating in best_first if rating.number == SINGLE)
    others = [rating for rating in best_first if rating.number != SINGLE]
    return [*others, one] if kind == "click" else [one, *others]


def _mask(decoded: Decoded, rating: _Rating) -> Mask:
    return Mask(
        decoded.logits[rating.number].astype(np.float16),
        float(decoded.predicted_iou[rating.number]),
        rating.stability,
        rating.share,
    )


def _rate(logits: NDArray[np.float32], iou: float, index: int) -> _Rating:
    stability, share = _stability(logits), float((logits > 0).mean())
    return _Rating(share < WHOLE_WINDOW, iou + stability, stability, share, index)


def _stability(logits: NDArray[np.float32]) -> float:
    wide = int(np.count_nonzero(logits > -STABILITY_OFFSET))
    return int(np.count_nonzero(logits > STABILITY_OFFSET)) / wide if wide else 0.0


def _iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    either = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / either if either else 1.0
