"""Pictures with known objects: a directory with an `index.csv`, or drawn here.

`SPLIT/SOURCE/NAME.jpg` has its label map in `SPLIT/SOURCE/NAME_mask.png`: 0 is background or
unlabelled, 1..n are objects.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.evaluation import protocol


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture and its label map."""

    split: str
    source: str
    name: str
    root: Path

    @property
    def image_path(self) -> Path:
        """The picture's file."""
        return self.root / self.split / self.source / self.name

    @property
    def mask_path(self) -> Path:
        """The label map's file."""
        return self.image_path.with_name(f"{self.image_path.stem}_mask.png")

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Return the RGB picture (rows, cols, 3) and the label map (rows, cols)."""
        with Image.open(self.image_path) as image, Image.open(self.mask_path) as mask:
            return np.asarray(image.convert("RGB")), np.asarray(mask).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Task:
    """The objects of one picture that are asked for."""

    pair: Pair
    objects: tuple[int, ...]


def load(root: Path, split: str | None = None, sources: tuple[str, ...] = ()) -> list[Pair]:
    """Return the pairs in `root` in a fixed order, of one split and some sources or of all."""
    with (root / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["split"], row["source"], row["name"]) for row in csv.DictReader(file)]
    return [
        Pair(*row, root)
        for row in sorted(rows)
        if split in (None, row[0]) and (not sources or row[1] in sources)
    ]


def tasks(pairs: list[Pair], limit: int | None = None) -> list[Task]:
    """Return what to ask for; `limit` objects in all, drawn with a fixed seed."""
    found = [
        (index, object_id)
        for index, pair in enumerate(pairs)
        for object_id in protocol.choose_objects(pair.read()[1], f"{pair.source}/{pair.name}")
    ]
    wanted: dict[int, list[int]] = {}
    for number in protocol.pick(len(found), limit):
        index, object_id = found[number]
        wanted.setdefault(index, []).append(object_id)
    return [Task(pairs[index], tuple(objects)) for index, objects in wanted.items()]
