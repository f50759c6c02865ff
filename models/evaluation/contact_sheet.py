"""A contact sheet of two runs: where the second wins, where it loses, and some at random.

`python -m models.evaluation.contact_sheet FIRST-details.json SECOND-details.json`. For each object
the first run's answer is on the left, the second's on the right: the truth is green, the answer
magenta; clicks into the object are white, others black.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from shapely.geometry.base import BaseGeometry

from models.evaluation import pairs, protocol
from models.evaluation.__main__ import BUILD, MODELS, REFERENCE
from models.evaluation.compare import read
from models.evaluation.configuration import Configuration
from models.evaluation.predict import Answer, Predictor
from models.evaluation.run import Found
from models.evaluation.tables import MEASURES
from samgis_process.vector import Patch, pixel_polygons

WINS, LOSSES, RANDOM = 12, 6, 6
SEED = 24
PANEL, GAP, CAPTION, HEADING, ACROSS = 150, 8, 20, 34, 6  # pixels; objects in a row
LEAST = 64  # picture pixels that a panel shows at least
TRUTH, ANSWER, PAPER, INK = (60, 255, 90), (255, 40, 230), (250, 250, 248), (25, 25, 25)

Bounds = tuple[float, float, float, float]


class Row(NamedTuple):
    """An object and what it came to in both runs."""

    found: Found
    before: float
    after: float


def choose(first: Sequence[Found], second: Sequence[Found], measure: str) -> dict[str, list[Row]]:
    """Return the objects to show, under their headings."""
    rows = [
        Row(a, MEASURES[measure](a), MEASURES[measure](b))
        for a, b in zip(first, second, strict=True)
    ]
    by_gain = sorted(rows, key=lambda row: row.after - row.before)
    rest = by_gain[LOSSES:-WINS]
    drawn = np.random.default_rng(SEED).choice(len(rest), min(RANDOM, len(rest)), replace=False)
    return {
        f"Largest wins, {measure}": by_gain[: -WINS - 1 : -1],
        f"Largest losses, {measure}": by_gain[:LOSSES],
        "At random": [rest[k] for k in sorted(drawn)],
    }


class Drawer:
    """Asks again for the objects shown, and draws them."""

    def __init__(self, root: Path, rules: Sequence[Configuration], measure: str) -> None:
        self._root, self._measure = root, measure
        self._predictors = [Predictor(one, MODELS) for one in rules]

    def cell(self, row: Row) -> Image.Image:
        """Return both answers to an object side by side, with a caption."""
        split, name = row.found.picture.split("/", 1)
        image, labels = pairs.Pair(split, row.found.source, name, self._root).read()
        truth = labels == row.found.object_id
        steps = [self._answer(one, image, truth, row.found) for one in self._predictors]
        outline = pixel_polygons(Patch(truth.astype(np.float32) - 0.5, 0, 0))
        areas = [Answer(*step.said).outline for step in steps]
        view = _view([outline, *areas], truth.shape)
        cell = Image.new("RGB", (2 * PANEL + 2, PANEL + CAPTION), PAPER)
        for number, (step, area) in enumerate(zip(steps, areas, strict=True)):
            panel = _panel(image, view, [(outline, TRUTH), (area, ANSWER)], step)
            cell.paste(panel, (number * (PANEL + 2), 0))
        caption = ImageDraw.Draw(cell)
        caption.text((2, PANEL + 3), f"{row.before:.2f}  {row.found.source}", INK, font(13))
        caption.text((PANEL + 4, PANEL + 3), f"{row.after:.2f}", INK, font(13))
        return cell

    def _answer(
        self,
        predictor: Predictor,
        image: NDArray[np.uint8],
        truth: protocol.Mask,
        found: Found,
    ) -> protocol.Step:
        if self._measure == "box":
            return protocol.box_step(predictor, image, truth, found.object_id)
        return list(protocol.click_steps(predictor, image, truth, int(self._measure[1:])))[-1]


def sheet(groups: dict[str, list[Row]], drawer: Drawer) -> Image.Image:
    """Return the whole sheet."""
    width = ACROSS * (2 * PANEL + 2) + (ACROSS + 1) * GAP
    lines = sum(math.ceil(len(rows) / ACROSS) for rows in groups.values())
    height = len(groups) * HEADING + lines * (PANEL + CAPTION + GAP) + GAP
    page, top = Image.new("RGB", (width, height), PAPER), 0
    for heading, rows in groups.items():
        ImageDraw.Draw(page).text((GAP, top + 8), heading, INK, font(18))
        top += HEADING
        for number, row in enumerate(rows):
            down, right = divmod(number, ACROSS)
            place = (GAP + right * (2 * PANEL + 2 + GAP), top + down * (PANEL + CAPTION + GAP))
            page.paste(drawer.cell(row), place)
        top += math.ceil(len(rows) / ACROSS) * (PANEL + CAPTION + GAP)
    return page


def _view(areas: Iterable[BaseGeometry], shape: tuple[int, ...]) -> Bounds:
    """Return a square that shows all outlines: left, top, right, bottom.

    It lies in the picture, unless an outline is longer than the picture's shorter side.
    """
    left, top, right, bottom = shapely.total_bounds(np.array(list(areas), object))
    side = float(max(right - left, bottom - top)) * 1.15
    side = min(max(side, LEAST), max(shape))
    west = _inside((left + right - side) / 2, side, shape[1])
    north = _inside((top + bottom - side) / 2, side, shape[0])
    return west, north, west + side, north + side


def _inside(start: float, length: float, limit: int) -> float:
    """Move a stretch into 0 to `limit`; centre it there if it is too long."""
    if length > limit:
        return (limit - length) / 2
    return min(max(start, 0.0), limit - length)


def _panel(
    image: NDArray[np.uint8],
    view: Bounds,
    outlines: Sequence[tuple[BaseGeometry, tuple[int, int, int]]],
    step: protocol.Step,
) -> Image.Image:
    size = (2 * PANEL, 2 * PANEL)  # drawn twice as large, for smooth lines
    cut = Image.fromarray(image).transform(
        size, Image.Transform.EXTENT, view, Image.Resampling.BILINEAR, fillcolor=PAPER
    )
    scale = size[0] / (view[2] - view[0])
    draw = ImageDraw.Draw(cut)
    for area, colour in outlines:
        for ring in rings(area):
            places = [((x - view[0]) * scale, (y - view[1]) * scale) for x, y in ring]
            draw.line(places, colour, 4, "curve")
    for (x, y), label in zip(step.points + 0.5, step.labels, strict=True):
        at = (float(x - view[0]) * scale, float(y - view[1]) * scale)
        inner, rim = ("white", "black") if label else ("black", "white")
        draw.circle(at, 9, inner, rim, 2)
    if step.box:
        left, top, right, bottom = step.box
        edges = (left - view[0], top - view[1], right + 1 - view[0], bottom + 1 - view[1])
        draw.rectangle([edge * scale for edge in edges], outline=(255, 220, 0), width=2)
    return cut.resize((PANEL, PANEL), Image.Resampling.LANCZOS)


def rings(area: BaseGeometry) -> list[list[tuple[float, float]]]:
    """Return the outer and inner rings of an area's parts."""
    parts = [part for part in shapely.get_parts(area).tolist() if not part.is_empty]
    return [list(ring.coords) for part in parts for ring in (part.exterior, *part.interiors)]


def font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Return the font of captions."""
    return ImageFont.load_default(size)


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluation.contact_sheet", description=__doc__
    )
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--pairs", type=Path, default=REFERENCE)
    parser.add_argument("--measure", default="c3", help="c1, c3, c5, c10 or box")
    parser.add_argument("--out", type=Path, default=BUILD / "contact-sheet.png")
    options = parser.parse_args()
    (old, first), (new, second) = read(options.first), read(options.second)
    drawer = Drawer(options.pairs, (old, new), options.measure)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet(choose(first, second, options.measure), drawer).save(options.out)
    print(f"{options.out}: {old} on the left, {new} on the right")


if __name__ == "__main__":
    main()
