"""Compare two runs over the same objects, pair by pair, from their details.

`python -m models.evaluation.compare FIRST-details.json SECOND-details.json`
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.evaluation import report, tables
from models.evaluation.configuration import Configuration
from models.evaluation.run import Found, Step


def objects(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Return every object's own figures, as JSON takes them."""
    return [
        {
            "source": one.source,
            "picture": one.picture,
            "object": one.object_id,
            "asked": one.asked,
            "clicks": [round(step.iou, 5) for step in one.clicks],
            "scores": [round(step.score, 5) for step in one.clicks],
            "box": round(one.box.iou, 5),
            "box_score": round(one.box.score, 5),
            "boundary_c1": round(one.after(1).boundary_iou, 5),
            "boundary_box": round(one.box.boundary_iou, 5),
        }
        for one in found
    ]


def read(path: Path) -> tuple[Configuration, list[Found]]:
    """Return the rules and the answers of a details file's first run, without their costs."""
    document = json.loads(path.read_text("utf-8"))["runs"][0]
    return Configuration(**document["rules"]), [_found(facts) for facts in document["objects"]]


def _found(facts: dict[str, Any]) -> Found:
    pairs = enumerate(zip(facts["clicks"], facts["scores"], strict=True), 1)
    clicks = [
        _step(number, iou, facts["boundary_c1"] if number == 1 else math.nan, score)
        for number, (iou, score) in pairs
    ]
    box = _step(0, facts["box"], facts["boundary_box"], facts["box_score"])
    place = (facts["source"], facts["picture"], facts["object"])
    return Found(0, facts["asked"], *place, math.nan, tuple(clicks), box)


def _step(number: int, iou: float, boundary: float, score: float) -> Step:
    return Step(number, iou, boundary, score, 0, math.nan, math.nan)


def counts(found: Sequence[Found]) -> dict[str, int]:
    """Return the objects of each source, and of them all."""
    each = dict(sorted(Counter(one.source for one in found).items()))
    return each | dict.fromkeys(("all", "mean_of_sources"), len(found))


def main() -> None:
    """Print the differences with their intervals."""
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluation.compare", description=__doc__
    )
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    options = parser.parse_args()
    (old, first), (new, second) = read(options.first), read(options.second)
    print(f"First: {old}\nSecond: {new}\n")
    print(report.comparison(tables.compare(first, second), counts(first)))


if __name__ == "__main__":
    main()
