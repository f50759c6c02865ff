"""What right angles do to outlines of real buildings: `python -m models.evaluation.right_angles`.

Every building of the reference data is asked for by its box (sides up to 5 % off) and by three
clicks; the outlines of a picture are then redrawn together, as the input `orthogonalize` does it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from models.evaluation import pairs, protocol
from models.evaluation.__main__ import MODELS, REFERENCE
from models.evaluation.configuration import Configuration
from models.evaluation.pairs import Task
from models.evaluation.predict import Answer, Predictor, draw
from samgis_process.inference.frame import GRID
from samgis_process.vector import orthogonalized

BUILDINGS = ("crowdai", "inria_chicago", "oam_banepa")  # a region is a building there
CLICKS = 3


class Row(NamedTuple):
    """One building; IoU and vertices before and after."""

    source: str
    asked: str
    iou: tuple[float, float]
    vertices: tuple[int, int]
    changed: bool


def main() -> None:
    """Ask, redraw, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, default=REFERENCE)
    parser.add_argument("--split", default="val")
    options = parser.parse_args()
    predict = Predictor(Configuration(), MODELS)
    tasks = pairs.tasks(pairs.load(options.pairs, options.split, BUILDINGS))
    rows = [row for task in tasks for row in _rows(task, predict)]
    print("| buildings | asked by | redrawn | IoU before | after | vertices before | after |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for source in (*BUILDINGS, "all"):
        for asked in ("box", "clicks"):
            chosen = [row for row in rows if row.asked == asked and source in (row.source, "all")]
            if chosen:
                print(_line(f"{source} ({len(chosen)})", asked, chosen))


def _rows(task: Task, predict: Predictor) -> Iterator[Row]:
    image, labels = task.pair.read()
    for asked in ("box", "clicks"):
        truths = [labels == number for number in task.objects]
        found = [
            _outline(predict, image, truth, number, asked)
            for truth, number in zip(truths, task.objects, strict=True)
        ]
        squared = orthogonalized(found, max(labels.shape) / GRID)
        for truth, before, after in zip(truths, found, squared, strict=True):
            both = [protocol.iou(draw(one, labels.shape), truth) for one in (before, after)]
            counts = [int(shapely.count_coordinates(one)) for one in (before, after)]
            yield Row(
                task.pair.source,
                asked,
                (both[0], both[1]),
                (counts[0], counts[1]),
                not before.equals(after),
            )


def _outline(
    predict: Predictor, image: protocol.Image, truth: protocol.Mask, number: int, asked: str
) -> BaseGeometry:
    if asked == "box":
        steps = [protocol.box_step(predict, image, truth, number)]
    else:
        steps = [*protocol.click_steps(predict, image, truth, CLICKS)]
    return Answer(*steps[-1].said).outline


def _line(name: str, asked: str, rows: Sequence[Row]) -> str:
    iou = np.mean([row.iou for row in rows], axis=0)
    vertices = np.median([row.vertices for row in rows], axis=0)
    changed = np.mean([row.changed for row in rows])
    figures = f"{iou[0]:.3f} | {iou[1]:.3f} | {vertices[0]:.0f} | {vertices[1]:.0f}"
    return f"| {name} | {asked} | {changed:.0%} | {figures} |"


if __name__ == "__main__":
    main()
