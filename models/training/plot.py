"""Draw learning curves.

    python -m models.training.plot OUT.png CURVE.csv ...

One panel a quantity; dots are single steps, the line is their running mean.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

PANELS = {
    "first click, pairs": ("click_oam_banepa", "click_naip_potholes", "click_landsat_ucayali"),
    "first click, drawn": ("click_drawn",),
    "box": ("box",),
    "after 3 prompts": ("iou_3",),
    "after 5 prompts": ("iou_5",),
    "|predicted - true IoU|": ("iou_error",),
    "loss of the first run": ("loss",),
    "photographs, distance": ("photo",),
}
WIDTH, HEIGHT, MARGIN = 420, 240, 46
COLOURS = ((31, 90, 160), (190, 90, 30), (60, 130, 60))
INK, PALE = (40, 40, 40), (225, 225, 225)
WINDOW = 25  # values of a running mean


def read(paths: list[Path]) -> dict[str, np.ndarray]:
    """Return (n, 2) of step and value for each quantity, all processes together."""
    found = defaultdict(list)
    for path in paths:
        with path.open(newline="") as file:
            for step, _, key, value in csv.reader(file):
                found[key].append((float(step), float(value)))
    return {key: np.array(sorted(values)) for key, values in found.items()}


def running_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each value and its neighbours."""
    window = np.ones(min(WINDOW, len(values)))
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


def panel(title: str, curves: dict[str, np.ndarray]) -> Image.Image:
    """Return one panel."""
    sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 6), title, fill=INK)
    steps = np.concatenate([curve[:, 0] for curve in curves.values()])
    values = np.concatenate([curve[:, 1] for curve in curves.values()])
    top = max(1.0, float(np.quantile(values, 0.98))) if "IoU" not in title else 0.6
    right, bottom = WIDTH - 12, HEIGHT - 28
    x = lambda step: MARGIN + step / max(steps.max(), 1) * (right - MARGIN)  # noqa: E731
    y = lambda value: bottom - np.clip(value / top, 0, 1) * (bottom - 26)  # noqa: E731
    for mark in np.linspace(0, top, 5):
        draw.line([(MARGIN, y(mark)), (right, y(mark))], fill=PALE)
        draw.text((6, y(mark) - 6), f"{mark:.2f}", fill=INK)
    draw.text((MARGIN, bottom + 6), "0", fill=INK)
    draw.text((right - 60, bottom + 6), f"step {steps.max():.0f}", fill=INK)
    for number, (key, curve) in enumerate(curves.items()):
        dots = [(x(step), y(value)) for step, value in curve]
        draw.point(dots, fill=COLOURS[number])
        mean = running_mean(curve[:, 1])
        draw.line(
            [(x(s), y(v)) for s, v in zip(curve[:, 0], mean, strict=True)], COLOURS[number], 2
        )
        if len(curves) > 1:
            draw.text((right - 130, bottom - 40 + 12 * number), key[6:], fill=COLOURS[number])
    return sheet


def main() -> None:
    """Draw all panels side by side."""
    found = read([Path(path) for path in sys.argv[2:]])
    shown = {t: {k: found[k] for k in keys if k in found} for t, keys in PANELS.items()}
    panels = [panel(title, curves) for title, curves in shown.items() if curves]
    rows = -(-len(panels) // 2)
    sheet = Image.new("RGB", (2 * WIDTH, rows * HEIGHT), "white")
    for number, each in enumerate(panels):
        sheet.paste(each, (number % 2 * WIDTH, number // 2 * HEIGHT))
    sheet.save(sys.argv[1])


if __name__ == "__main__":
    main()
