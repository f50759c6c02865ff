"""Fit the weights of the score: `python -m models.evaluation.calibrate MODEL TRAIN.npz VAL.npz`.

Reads records (`--records`) of the licensed train pictures and fits, for each kind of prompt, the
logistic curve that comes closest to the IoU that was reached; prints what it is worth on the
second file, and writes the weights into the package.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy import optimize, stats

from samgis_process.inference.scores import Facts, Weights

RULES = Path(__file__).parents[2] / "samgis_process" / "inference" / "rules.yaml"
HEADER = """\
# How the answers of a model are chosen and scored. By model:
#   click   which mask answers one click: `best` of whole, part and subpart (the default), `single`
#   score   weights by kind of prompt, written by `python -m models.evaluation.calibrate`
"""
PULL = 1e-3  # towards zero, so that weights stay small where facts say the same
KINDS = ("click", "clicks", "box")

Records = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]


def main() -> None:
    """Fit, tell, write."""
    parser = argparse.ArgumentParser(prog="python -m models.evaluation.calibrate")
    parser.add_argument("model")
    parser.add_argument("train", type=Path)
    parser.add_argument("check", type=Path)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    train, check = (dict(np.load(path)) for path in (options.train, options.check))
    weights: dict[str, Weights] = {}
    print(
        "| prompts | answers | IoU | score | mean error | Spearman |", "| --- " * 6 + "|", sep="\n"
    )
    for kind in KINDS:
        # After one click any of the masks may be the answer or an alternative: all of them teach.
        weights[kind] = fit(*examples(train, kind, every=kind == "click"))
        terms, truth = examples(check, kind, every=False)
        said = estimated(terms, weights[kind])
        error, order = np.abs(said - truth).mean(), stats.spearmanr(said, truth).statistic
        figures = f"{truth.mean():.3f} | {said.mean():.3f} | {error:.3f} | {order:.3f}"
        print(f"| {kind} | {len(truth)} | {figures} |")
    if not options.dry:
        write(options.model, weights)


def examples(records: Records, kind: str, *, every: bool) -> tuple[dict[str, Floats], Floats]:
    """Return the terms of masks, by name, and the IoU that each reached.

    Args:
        every: all of the decoder's masks, not the answer alone.
    """
    rows = np.flatnonzero(_kind(records) == kind)
    masks = sum(name.startswith("iou_") for name in records)
    chosen = records["chosen"].astype(int)
    picked = [(row, k) for row in rows for k in (range(masks) if every else [chosen[row]])]
    facts = [Facts(*(float(records[f"{f}_{k}"][row]) for f in Facts._fields)) for row, k in picked]
    terms = [one.terms() for one in facts]
    names = terms[0].keys()
    truth = np.array([float(records[f"iou_{k}"][row]) for row, k in picked])
    return {name: np.array([term[name] for term in terms]) for name in names}, truth


def _kind(records: Records) -> NDArray[np.str_]:
    """Return the kind of prompt of each record, by the number of its clicks; 0 is the box."""
    step = records["step"].astype(int)
    return np.where(step == 0, "box", np.where(step == 1, "click", "clicks"))


def estimated(terms: Mapping[str, Floats], weights: Weights) -> Floats:
    """Return the scores."""
    total = sum(weight * terms[name] for name, weight in weights.items())
    return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(total))))


def fit(terms: Mapping[str, Floats], truth: Floats) -> Weights:
    """Return the weights whose scores are nearest to the truth: least mean absolute error.

    The model's own words may only speak for a mask, never against it.
    """
    names = list(terms)
    columns = np.stack([terms[name] for name in names], axis=1)

    def loss(weights: Floats) -> float:
        said = 1.0 / (1.0 + np.exp(-columns @ weights))
        return float(np.sqrt((said - truth) ** 2 + 1e-4).mean() + PULL * (weights[1:] ** 2).mean())

    honest = {"predicted_iou", "stability"}
    bounds = [(0.0, None) if name in honest else (None, None) for name in names]
    found = optimize.minimize(loss, np.zeros(len(names)), method="L-BFGS-B", bounds=bounds)
    return {name: round(float(weight), 3) for name, weight in zip(names, found.x, strict=True)}


def write(model: str, weights: Mapping[str, Weights]) -> None:
    """Put a model's weights into the package's file."""
    known = yaml.safe_load(RULES.read_text("utf-8")) or {}
    score = {kind: dict(values) for kind, values in weights.items()}
    known[model] = {**known.get(model, {}), "score": score}
    RULES.write_text(HEADER + yaml.safe_dump(known, sort_keys=True), "utf-8")


if __name__ == "__main__":
    main()
