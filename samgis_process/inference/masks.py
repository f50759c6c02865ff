"""Which of the decoder's masks is the answer, which others there are, how far to trust them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from samgis_process.inference.model import Decoded, Model
from samgis_process.inference.scores import Facts, Kind, Weights, score

SINGLE = 0  # the decoder's one reading of a clear prompt; 1, 2 and 3 are whole, part, subpart
# A mask that fills the window is, on repetitive ground, the model's favourite wrong answer.
# Ranked by predicted IoU + stability under this share of the window, one click reaches a mean IoU
# of .659 on 583 objects; by predicted IoU alone .643.
WHOLE_WINDOW = 0.7
STABILITY_OFFSET = 1.0  # logits, as in the reference implementation
ALIKE = 0.9  # IoU from which two masks are the same answer

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """One mask of the decoder.

    Attributes:
        logits: float16 (256, 256), rounded so that a kept answer equals a fresh one.
        predicted_iou: the model's own guess of its quality, about 0 to 1.
        stability: IoU of the masks at a threshold a little higher and a little lower.
        score: estimate of its IoU with the truth, 0 to 1.
    """

    logits: NDArray[np.float16]
    predicted_iou: float
    stability: float
    score: float


@dataclass(frozen=True, slots=True)
class Rule:
    """How a model's masks are chosen among and scored, as it was measured to do best.

    Attributes:
        single: the first mask is the reading of a clear prompt (`Model.single`).
        click: which mask answers one click, the `best` of the others or the `single` reading.
        score: weights of the score, by kind of prompt.
    """

    single: bool = True
    click: Literal["best", "single"] = "best"
    score: Mapping[str, Weights] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model) -> Rule:
        """Return a model's own rule (`rules.yaml`), or the usual one."""
        return cls(single=model.single, **_rules().get(model.id, {}))


@functools.cache
def _rules() -> Mapping[str, Mapping[str, Any]]:
    text = (resources.files(__package__) / "rules.yaml").read_text("utf-8")
    return yaml.safe_load(text) or {}


class _Candidate(NamedTuple):
    number: int
    area: Bools
    facts: Facts
    score: float

    @property
    def rank(self) -> tuple[bool, float]:
        """What masks are ordered by, most telling first."""
        return self.facts.share < WHOLE_WINDOW, self.facts.predicted_iou + self.facts.stability


def choose(decoded: Decoded, held: tuple[int, int], kind: Kind, rule: Rule) -> Mask:
    """Return the mask to answer with.

    Args:
        held: (rows, cols) of the grid that hold picture; the rest is padding.
        kind: a single click may mean a part or the whole.
    """
    return _mask(decoded, _ranked(decoded, held, kind, rule)[0])


def rank(decoded: Decoded, held: tuple[int, int], kind: Kind, rule: Rule) -> list[Mask]:
    """Return the mask to answer with, then the others that differ from it and are not empty."""
    kept: list[_Candidate] = []
    for one in _ranked(decoded, held, kind, rule):
        if not kept or (one.area.any() and all(_iou(one.area, k.area) < ALIKE for k in kept)):
            kept.append(one)
    return [_mask(decoded, one) for one in kept]


def facts_of(decoded: Decoded, held: tuple[int, int]) -> list[Facts]:
    """Return what is known of each of the decoder's masks."""
    rows, cols = held
    cut = decoded.logits[:, :rows, :cols]
    areas = cut > 0
    agreement = _agreement(areas)
    return [
        Facts(
            float(decoded.predicted_iou[i]),
            _stability(cut[i]),
            float(areas[i].mean()),
            _edge(areas[i]),
            agreement[i],
        )
        for i in range(len(areas))
    ]


def _ranked(decoded: Decoded, held: tuple[int, int], kind: Kind, rule: Rule) -> list[_Candidate]:
    rows, cols = held
    candidates = [
        _Candidate(i, decoded.logits[i, :rows, :cols] > 0, facts, score(facts, kind, rule.score))
        for i, facts in enumerate(facts_of(decoded, held))
    ]
    best_first = sorted(candidates, key=lambda one: one.rank, reverse=True)
    if not rule.single or len(candidates) == 1:
        return best_first
    # The single reading leads where the prompt is clear, and may come last where it is not.
    others = [one for one in best_first if one.number != SINGLE]
    single = candidates[SINGLE]
    return [*others, single] if kind == "click" and rule.click == "best" else [single, *others]


def _mask(decoded: Decoded, one: _Candidate) -> Mask:
    logits = decoded.logits[one.number].astype(np.float16)
    return Mask(logits, one.facts.predicted_iou, one.facts.stability, one.score)


def _stability(logits: NDArray[np.float32]) -> float:
    wide = int(np.count_nonzero(logits > -STABILITY_OFFSET))
    return int(np.count_nonzero(logits > STABILITY_OFFSET)) / wide if wide else 0.0


def _agreement(areas: Bools) -> list[float]:
    """Return the mean IoU of each area with the others, 1 where it is alone."""
    if len(areas) == 1:
        return [1.0]
    flat = areas.reshape(len(areas), -1).astype(np.float32)
    both = flat @ flat.T
    sizes = both.diagonal()
    either = sizes[:, None] + sizes - both
    iou = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    return [float(total) for total in (iou.sum(axis=1) - 1) / (len(areas) - 1)]


def _edge(area: Bools) -> float:
    return float(np.concatenate([area[0], area[-1], area[:, 0], area[:, -1]]).mean())


def _iou(a: Bools, b: Bools) -> float:
    either = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / either if either else 1.0
