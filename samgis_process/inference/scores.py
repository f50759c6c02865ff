"""How far to trust a mask: an estimate of its IoU with the truth, learned from labelled pictures.

A logistic curve over a few facts of the decoder's answer; `models/evaluation/calibrate.py` fits
its weights, by model and kind of prompt. A model without them is scored by its own word: predicted
IoU times stability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["click", "clicks", "box"]  # one include point alone; several prompts; with a box
Weights = Mapping[str, float]  # of each fact, and `bias`


class Facts(NamedTuple):
    """What is known of one of the decoder's masks.

    Attributes:
        predicted_iou: the model's own guess, about 0 to 1.
        stability: IoU of the masks at a threshold a little higher and a little lower.
        share: of the picture that it covers.
        edge: share of the picture's rim that it covers.
        agreement: mean IoU with the decoder's other masks; 1 where there are none.
    """

    predicted_iou: float
    stability: float
    share: float
    edge: float
    agreement: float

    def terms(self) -> dict[str, float]:
        """Return what a score is a weighted sum of; shares count by their magnitude."""
        return {
            "bias": 1.0,
            "predicted_iou": min(1.0, max(0.0, self.predicted_iou)),
            "stability": self.stability,
            "log_share": math.log10(self.share + 1e-5),
            "edge": self.edge,
            "agreement": self.agreement,
        }


def score(facts: Facts, kind: Kind, weights: Mapping[str, Weights]) -> float:
    """Return the estimate, 0 to 1.

    Args:
        weights: by kind of prompt; a kind may be missing.
    """
    terms = facts.terms()
    if kind not in weights:
        return terms["predicted_iou"] * facts.stability
    total = sum(weight * terms[name] for name, weight in weights[kind].items())
    return 1.0 / (1.0 + math.exp(-total))
