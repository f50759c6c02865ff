"""From answers to numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from models.evaluation.intervals import Interval, intervals
from models.evaluation.metrics import calibration
from models.evaluation.run import CLICKS, Found, Step, encode_seconds

GOOD = 0.85  # IoU at which a user stops clicking
LOSS = 0.1  # of IoU that a further click must not cost

Intervals = dict[str, Interval]


def _lost(found: Found, clicks: int) -> float:
    """Return the share of the second to last of `clicks` that cost more than LOSS."""
    ious = [step.iou for step in found.clicks[:clicks]]
    if found.asked < clicks:
        return math.nan
    return sum(b < a - LOSS for a, b in pairwise(ious)) / (clicks - 1)


def _needed(found: Found) -> float:
    """Return how many clicks reach GOOD; the largest number tried where none does."""
    if found.asked < CLICKS:
        return math.nan
    return next((step.number for step in found.clicks if step.iou >= GOOD), CLICKS)


def _failing(found: Found) -> float:
    return (
        math.nan if found.asked < CLICKS else float(all(step.iou < GOOD for step in found.clicks))
    )


# What is measured on an object; each becomes a mean per source, with its interval. It is no
# number where fewer clicks were given than it needs.
MEASURES: Mapping[str, Callable[[Found], float]] = {
    "c1": lambda found: found.after(1).iou,
    "c3": lambda found: found.after(3).iou,
    "c5": lambda found: found.after(5).iou,
    "c10": lambda found: found.after(10).iou if found.asked >= CLICKS else math.nan,
    "box": lambda found: found.box.iou,
    "clicks_to_0.85": _needed,
    "failing_at_10": _failing,
    "lost_in_5": lambda found: _lost(found, 5),
    "lost_in_10": lambda found: _lost(found, CLICKS),
    "boundary_c1": lambda found: found.after(1).boundary_iou,
    "boundary_box": lambda found: found.box.boundary_iou,
    "score_error_c1": lambda found: abs(found.after(1).score - found.after(1).iou),
    "score_error_box": lambda found: abs(found.box.score - found.box.iou),
}

KINDS: Mapping[str, Callable[[Found], Sequence[Step]]] = {
    "one click": lambda found: found.clicks[:1],
    "several clicks": lambda found: found.clicks[1:],
    "box": lambda found: [found.box],
}


def protocol_rows(found: Sequence[Found]) -> dict[str, list[dict[str, float]]]:
    """Return what `protocol.table` wants, by source."""
    rows: dict[str, list[dict[str, float]]] = {}
    for one in found:
        measured = {key: MEASURES[key](one) for key in ("c1", "c3", "c5", "box")}
        rows.setdefault(one.source, []).append(measured)
    return rows


def measured(found: Sequence[Found]) -> dict[str, Intervals]:
    """Return each measure's means and intervals."""
    sources = [one.source for one in found]
    return {
        name: intervals([measure(one) for one in found], sources)
        for name, measure in MEASURES.items()
    }


def compare(first: Sequence[Found], second: Sequence[Found]) -> dict[str, Intervals]:
    """Return each measure's difference, second minus first, over the same objects, paired.

    Raises:
        ValueError: they are not the same objects in the same order.
    """
    if [_name(one) for one in first] != [_name(one) for one in second]:
        raise ValueError("two runs over different objects cannot be compared pair by pair")
    sources = [one.source for one in first]
    return {
        name: intervals(
            [measure(b) - measure(a) for a, b in zip(first, second, strict=True)], sources
        )
        for name, measure in MEASURES.items()
    }


def _name(found: Found) -> tuple[str, str, int]:
    return found.source, found.picture, found.object_id


def scores(found: Sequence[Found]) -> dict[str, dict[str, object]]:
    """Return how well the score foretells IoU, for each kind of prompt."""
    return {
        kind: calibration(
            np.array([step.score for one in found for step in steps(one)]),
            np.array([step.iou for one in found for step in steps(one)]),
        )
        for kind, steps in KINDS.items()
    }


def agreement(found: Sequence[Found]) -> dict[str, dict[str, float]] | None:
    """Return how much a second model's masks overlap, by kind of prompt; None without one."""
    if found[0].box.agreement is None:
        return None
    table = {}
    for kind, steps in KINDS.items():
        values = np.array([step.agreement for one in found for step in steps(one)], float)
        table[kind] = {
            "mean": float(values.mean()),
            "median": float(np.median(values)),
            "5 %": float(np.percentile(values, 5)),
            "least": float(values.min()),
        }
    return table


def costs(found: Sequence[Found]) -> dict[str, float]:
    """Return mean CPU seconds and vertices."""
    steps = [step for one in found for step in (*one.clicks, one.box)]
    return {
        "encode_s": encode_seconds(found),
        "decode_s": float(np.mean([step.decode_s for step in steps])),
        "outline_s": float(np.mean([step.outline_s for step in steps])),
        "vertices": float(np.mean([step.vertices for step in steps])),
        "vertices_median": float(np.median([step.vertices for step in steps])),
        "answers": len(steps),
    }


def record_rows(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Return one row for each answer, for `records.write`."""
    return [
        {
            "source": one.source,
            "picture": one.picture,
            "object": one.object_id,
            "kind": "click" if step.number else "box",
            "step": step.number,
            "iou": step.iou,
            "score": step.score,
        }
        | (step.record or {})
        for one in found
        for step in (*one.clicks, one.box)
    ]
