"""What the decoder's four masks were worth, one row for each answer: to fit a score on."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.evaluation import protocol
from models.evaluation.predict import Answer, spread
from samgis_process.inference.frame import InputFrame
from samgis_process.inference.masks import facts_of
from samgis_process.processes import outlines


def record(step: protocol.Step, truth: protocol.Mask, margin: float | None) -> dict[str, Any]:
    """Return the facts of one answer.

    Of every mask k of the decoder: the facts that a score is made of, `predicted_iou_k` and so
    on (`samgis_process.inference.scores.Facts`), and `iou_k` with the truth, drawn pixel by pixel
    and cut to a prompted box as the answer is. `chosen` is the one that became the answer.
    """
    answer = Answer(*step.said)
    frame = InputFrame(truth.shape[1], truth.shape[0])
    facts: dict[str, Any] = {
        "chosen": _index(answer),
        "includes": int((step.labels == 1).sum()),
        "excludes": int((step.labels == 0).sum()),
        "truth_share": float(truth.mean()),
        "box_share": _area(step.box) / truth.size if step.box else 0.0,
    }
    known = facts_of(answer.decoded, frame.held)
    for k, (logits, one) in enumerate(zip(answer.decoded.logits, known, strict=True)):
        facts |= {f"{name}_{k}": fact for name, fact in one._asdict().items()}
        mask = _within(spread(logits, frame), step.box, margin)
        facts[f"iou_{k}"] = protocol.iou(mask, truth)
    return facts


def _area(box: protocol.Box) -> float:
    return (box[2] - box[0] + 1) * (box[3] - box[1] + 1)


def _index(answer: Answer) -> int:
    same = [
        np.array_equal(logits.astype(np.float16), answer.logits)
        for logits in answer.decoded.logits
    ]
    return same.index(True)


def _within(mask: protocol.Mask, box: protocol.Box | None, margin: float | None) -> protocol.Mask:
    """Return the mask without the pixels whose centres lie outside a prompted box's margin."""
    if box is None or margin is None:
        return mask
    edges = outlines.Box(box[0], box[1], box[2] + 1, box[3] + 1)
    left, top, right, bottom = edges.widened(margin)
    rows, cols = (np.arange(size) + 0.5 for size in mask.shape)
    inside_rows = (rows >= top) & (rows <= bottom)
    return np.asarray(mask & inside_rows[:, None] & ((cols >= left) & (cols <= right)))


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as columns of an `.npz`, or as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        columns: dict[str, Any] = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        np.savez_compressed(path, **columns)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
