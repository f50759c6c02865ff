"""A contact sheet: landforms down, renderings across; truth green, answer magenta, IoU below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from shapely.geometry.base import BaseGeometry

from models.evaluation import protocol
from models.evaluation.contact_sheet import ANSWER, INK, PAPER, TRUTH, font, rings
from models.evaluation.landforms.renderings import picture
from models.evaluation.landforms.scene import Scene
from models.evaluation.predict import Answer
from samgis_process.vector import Patch, pixel_polygons

PANEL, CAPTION, HEADING, GAP = 120, 15, 22, 4
CLICKS = 3


def sheet(
    scenes: Sequence[Scene], renderings: Sequence[str], predict: protocol.Predict
) -> Image.Image:
    """Return the sheet of the first landform of each scene, three clicks each."""
    width = GAP + len(renderings) * (PANEL + GAP)
    page = Image.new("RGB", (width, HEADING + len(scenes) * (PANEL + CAPTION + GAP)), PAPER)
    draw = ImageDraw.Draw(page)
    for col, name in enumerate(renderings):
        left = GAP + col * (PANEL + GAP)
        draw.text((left, 4), name, INK, font(12))
        for row, scene in enumerate(scenes):
            top = HEADING + row * (PANEL + CAPTION + GAP)
            panel, iou = _panel(scene, name, predict)
            page.paste(panel, (left, top))
            what = f"  {scene.kinds[scene.asked[0] - 1]}" if col == 0 else ""
            draw.text((left, top + PANEL), f"{iou:.2f}{what}", INK, font(11))
    return page


def _panel(scene: Scene, rendering: str, predict: protocol.Predict) -> tuple[Image.Image, float]:
    """Return a window with truth, answer and clicks, and the answer's IoU."""
    image = picture(scene, rendering)
    truth = scene.labels == scene.asked[0]
    step = list(protocol.click_steps(predict, image, truth, CLICKS))[-1]
    outline = pixel_polygons(Patch(truth.astype(np.float32) - 0.5, 0, 0))
    drawn = _drawn(image, [(outline, TRUTH), (Answer(*step.said).outline, ANSWER)], step)
    return drawn, protocol.iou(step.mask, truth)


def _drawn(
    image: NDArray[np.uint8],
    outlines: Sequence[tuple[BaseGeometry, tuple[int, int, int]]],
    step: protocol.Step,
) -> Image.Image:
    side = 2 * PANEL  # drawn twice as large, for smooth lines
    panel = Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS)
    scale = side / image.shape[0]
    draw = ImageDraw.Draw(panel)
    for area, colour in outlines:
        for ring in rings(area):
            draw.line([(x * scale, y * scale) for x, y in ring], colour, 3, "curve")
    for (x, y), label in zip(step.points + 0.5, step.labels, strict=True):
        inner, rim = ("white", "black") if label else ("black", "white")
        draw.circle((float(x) * scale, float(y) * scale), 5, inner, rim, 2)
    return panel.resize((PANEL, PANEL), Image.Resampling.LANCZOS)
