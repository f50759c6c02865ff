"""Wide windows: does a closer look pay? `python -m models.evaluation.wide`.

Windows of 2048 and 4096 pixels are laid out of pictures of one source at their own resolution,
turned and mirrored where there are too few. Objects get one click and a jittered box; each is
answered in the whole window and in a crop, and the rules for using the crop are compared on
the same answers. Boundary IoU is in a band of 3 pixels: 2 % of such a diagonal is the object.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely.affinity
from numpy.typing import NDArray
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from models.evaluation import pairs, protocol
from models.evaluation.configuration import Configuration
from models.evaluation.intervals import intervals
from models.evaluation.metrics import boundary_iou
from models.evaluation.mosaic import Window, lay_out, windows
from models.evaluation.predict import Encoded, draw, kind_of, opened, outline, prompts
from models.evaluation.report import cell, layout
from samgis_process.inference.frame import InputFrame
from samgis_process.inference.masks import choose
from samgis_process.inference.model import Seen
from samgis_process.processes.detail import Crop, crop_around, cropped, size_px
from samgis_process.processes.outlines import Box

BAND = 3  # pixels, for boundary IoU
ROOM = 50  # pixels around an object, so that its box may be moved outwards
SEED = 3
SMALL = 128.0  # pixels of the input frame: larger objects are never looked at again
NONE = np.zeros((0, 2), np.float32), np.zeros(0, np.int8)


@dataclass(frozen=True, slots=True)
class Look:
    """One object, one prompt, one kind of crop: what the two answers were worth."""

    source: str
    side: int
    object_id: int
    prompt: str
    crop: str
    size_px: float
    ratio: float
    first: float
    closer: float
    first_boundary: float
    closer_boundary: float


class Asked(NamedTuple):
    """Prompts in the picture's pixels from its corner: points (k, 2), labels (k,), a box."""

    points: NDArray[np.float32]
    labels: NDArray[np.int8]
    box: Box | None

    def moved(self, crop: Crop) -> Asked:
        """Return the prompts in the crop's pixels, the box cut to it."""
        points = self.points - np.array(crop[:2], np.float32)
        if self.box is None:
            return Asked(points, self.labels, None)
        left, top, right, bottom = self.box.moved(-crop.col_off, -crop.row_off)
        across, along = (
            np.clip([left, right], 0, crop.width),
            np.clip([top, bottom], 0, crop.height),
        )
        edges = Box(float(across[0]), float(along[0]), float(across[1]), float(along[1]))
        return Asked(points, self.labels, edges)


class Truth(NamedTuple):
    """A label map and one of its objects."""

    labels: NDArray[np.int32]
    object_id: int
    rows: slice
    cols: slice

    def measure(self, area: BaseGeometry) -> tuple[float, float]:
        """Return IoU and boundary IoU of an outline, drawn again where either lies."""
        left, top, right, bottom = (
            self.cols.start,
            self.rows.start,
            self.cols.stop,
            self.rows.stop,
        )
        if not area.is_empty:
            west, north, east, south = area.bounds
            left, top = min(left, int(west)), min(top, int(north))
            right, bottom = max(right, int(east) + 1), max(bottom, int(south) + 1)
        there = self.labels[top:bottom, left:right] == self.object_id
        mask = draw(area, there.shape, (left, top))
        return protocol.iou(mask, there), boundary_iou(mask, there, BAND)


def look(window: Window, models_dir: Path, crops: Sequence[tuple[float, int]]) -> list[Look]:
    """Return what a closer look did for objects of one window."""
    picture, labels = lay_out(window)
    encoded = opened(Configuration().model, models_dir)
    found: list[Look] = []
    places = ndimage.find_objects(labels)
    frame = InputFrame(window.side, window.side)
    ids = [k for k, place in enumerate(places, 1) if place and _is_small(place, frame)]
    chosen = np.random.default_rng(SEED).permutation(ids)[: window.objects]
    for object_id in sorted(int(k) for k in chosen):
        truth = Truth(labels, object_id, *places[object_id - 1])
        for name, asked in _prompts(truth).items():
            looks = _look(encoded, picture, truth, asked, crops)
            found += [Look(window.source, window.side, object_id, name, *one) for one in looks]
    return found


def _is_small(place: tuple[slice, slice], frame: InputFrame) -> bool:
    """Whether an object was not cut by the window's edge and is small."""
    rows, cols = place
    box = Box(cols.start, rows.start, cols.stop, rows.stop)
    return max(cols.stop, rows.stop) < frame.width and size_px(box, frame) < SMALL


def _prompts(truth: Truth) -> dict[str, Asked]:
    here = truth.labels[truth.rows, truth.cols] == truth.object_id
    x, y = protocol.centre_click(here)
    click = np.array([[x + truth.cols.start + 0.5, y + truth.rows.start + 0.5]], np.float32)
    left, top, right, bottom = protocol.jittered_box(np.pad(here, ROOM), truth.object_id)
    across, down, limit = truth.cols.start - ROOM, truth.rows.start - ROOM, truth.labels.shape[0]
    edges = (left + across, top + down, right + across + 1, bottom + down + 1)
    box = Box(*(float(np.clip(edge, 0, limit)) for edge in edges))
    return {"one click": Asked(click, np.ones(1, np.int8), None), "box": Asked(*NONE, box)}


def _look(
    encoded: Encoded,
    picture: NDArray[np.uint8],
    truth: Truth,
    asked: Asked,
    crops: Sequence[tuple[float, int]],
) -> Iterator[tuple[Any, ...]]:
    """Yield (crop, size, ratio, IoU of both, boundary IoU of both) for every way to look."""
    frame = encoded.model.frame(picture.shape[1], picture.shape[0])
    logits, first = _answer(encoded, encoded.look(picture), frame, asked, None)
    plain = truth.measure(first)
    box = asked.box or (Box(*first.bounds) if not first.is_empty else None)
    if box is None:
        return
    for around, least in crops:
        crop = crop_around(box, frame, around=around, least=least)
        there = picture[crop.row_off :, crop.col_off :][: crop.height, : crop.width]
        closer = encoded.model.see(encoded.model.encode(np.ascontiguousarray(there)))
        crop_frame = encoded.model.frame(crop.width, crop.height)
        for how, prompted, earlier in _ways(asked, box, cropped(logits, frame, crop, crop_frame)):
            drawn = asked.box is not None
            _, area = _answer(
                encoded, closer, crop_frame, prompted.moved(crop), earlier, cut=drawn
            )
            placed = shapely.affinity.translate(area, *crop[:2])
            ratio = placed.area / first.area if first.area else float("inf")
            sharp = truth.measure(placed)
            name = f"{around:g} x, {least} px, {how}"
            yield name, size_px(box, frame), ratio, plain[0], sharp[0], plain[1], sharp[1]


def _answer(
    encoded: Encoded,
    seen: Seen,
    frame: InputFrame,
    asked: Asked,
    earlier: NDArray[np.float16] | None,
    *,
    cut: bool = True,
) -> tuple[NDArray[np.float16], BaseGeometry]:
    """Return logits and outline as the product chooses them; `cut` to a box that was drawn."""
    coords, labels = prompts(asked.points, asked.labels, asked.box, frame)
    decoded = encoded.model.decode(seen, coords, labels, earlier)
    kind = "clicks" if earlier is not None and asked.box is None else kind_of(labels)
    logits = choose(decoded, frame.held, kind, encoded.rule).logits
    margin = Configuration().box_margin if cut else None
    return logits, outline(logits, frame, asked.box, margin)


def _ways(
    asked: Asked, box: Box, logits: NDArray[np.float16]
) -> list[tuple[str, Asked, NDArray[np.float16] | None]]:
    """Return what may be asked in the crop."""
    boxed = asked._replace(box=box)
    ways = [("all", boxed, logits), ("no logits", boxed, None)]
    if not asked.box:
        ways += [("no click", Asked(*NONE, box), logits), ("no box", asked, logits)]
    return ways


# Rules for using the second answer: the object's size in the frame, and the ratio of areas.
RULES: dict[str, tuple[float, tuple[float, float]]] = {
    "never": (0, (0, 0)),
    "always": (np.inf, (0, np.inf)),
    "always, ratio 0.5 to 2": (np.inf, (0.5, 2)),
    "auto: below 64 px, ratio 0.5 to 2": (64, (0.5, 2)),
    "below 32 px": (32, (0.5, 2)),
    "below 48 px": (48, (0.5, 2)),
    "below 96 px": (96, (0.5, 2)),
    "below 128 px": (128, (0.5, 2)),
    "below 64 px, any ratio": (64, (0, np.inf)),
    "below 64 px, ratio 0.33 to 3": (64, (0.33, 3)),
    "below 64 px, ratio 0.7 to 1.4": (64, (0.7, 1.4)),
}


def table(looks: Sequence[Look], prompt: str, side: int, crop: str) -> list[list[str]]:
    """Return a row for each rule: mean IoU, its gain over never, boundary IoU, share used."""
    here = [one for one in looks if (one.prompt, one.side, one.crop) == (prompt, side, crop)]
    sources, rows = [one.source for one in here], []
    for name, (below, ratio) in RULES.items():
        used = [one.size_px < below and ratio[0] <= one.ratio <= ratio[1] for one in here]
        gain = [u * (one.closer - one.first) for u, one in zip(used, here, strict=True)]
        edge = [
            u * (one.closer_boundary - one.first_boundary)
            for u, one in zip(used, here, strict=True)
        ]
        both = (
            np.array([[one.first, one.first_boundary] for one in here]) + np.array([gain, edge]).T
        )
        rows.append(
            [
                name,
                str(len(here)),
                f"{both[:, 0].mean():.3f}",
                cell(intervals(gain, sources)["all"], signed=True),
                f"{both[:, 1].mean():.3f}",
                cell(intervals(edge, sources)["all"], signed=True),
                f"{np.mean(used):.2f}",
            ]
        )
    return rows


def markdown(looks: Sequence[Look]) -> str:
    """Return a table for each prompt, window and kind of crop."""
    header = ["rule", "objects", "IoU", "gain", "boundary IoU", "gain", "used"]
    groups = dict.fromkeys((one.prompt, one.side, one.crop) for one in looks)
    return "\n\n".join(
        f"{prompt}, {side} px, crop {crop}\n\n" + layout(header, table(looks, prompt, side, crop))
        for prompt, side, crop in sorted(groups)
    )


def main() -> None:
    """Look closer at every window and print the tables."""
    from models.evaluation.__main__ import BUILD, MODELS, REFERENCE  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m models.evaluation.wide", description=__doc__)
    parser.add_argument("--pairs", type=Path, default=REFERENCE)
    parser.add_argument("--split", default="val")
    parser.add_argument("--sides", default="2048,4096")
    parser.add_argument("--objects", type=int, default=16, help="of each window")
    parser.add_argument("--crops", default="4:256", help="sizes:pixels, with commas")
    parser.add_argument("--out", type=Path, default=BUILD / "eval-wide.json")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    crops = [(float(a), int(b)) for a, b in (c.split(":") for c in options.crops.split(","))]
    asked = windows(
        pairs.load(options.pairs, options.split),
        [int(side) for side in options.sides.split(",")],
        options.objects,
    )
    job = functools.partial(look, models_dir=MODELS, crops=crops)
    with ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        looks = [one for found in pool.map(job, asked) for one in found]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([asdict(one) for one in looks], indent=1) + "\n", "utf-8")
    print(markdown(looks))


if __name__ == "__main__":
    main()
