"""Pictures drawn here, with exact truth: roofs, ponds and rivers on mottled ground.

They stand in where there is no reference data: enough to see that everything runs and that a
change is not absurd, not to choose a model by.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE = 512  # pixels
PICTURES = 4  # of each kind
SEED = 5
SUPERSAMPLING = 4

Random = np.random.Generator
Points = list[tuple[float, float]]


def write(root: Path) -> Path:
    """Write pairs into `root` in the layout of `pairs.load`, and return it."""
    rows = []
    for kind, shapes in KINDS.items():
        directory = root / "drawn" / kind
        directory.mkdir(parents=True, exist_ok=True)
        for number in range(PICTURES):
            image, labels = scene(shapes, kind, number)
            image.save(directory / f"{number}.png")
            Image.fromarray(labels).save(directory / f"{number}_mask.png")
            rows.append(("drawn", kind, f"{number}.png"))
    with (root / "index.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("split", "source", "name"), *rows])
    return root


def scene(
    shapes: Callable[[Random], list[Points]], kind: str, number: int
) -> tuple[Image.Image, NDArray[np.uint8]]:
    """Return a picture and its label map, the same for the same names."""
    random = np.random.default_rng([SEED, number, *kind.encode()])
    picture = _ground(random)
    labels = Image.new("L", (SIDE, SIDE))
    for label, points in enumerate(shapes(random), 1):
        cover = _cover(points)
        colour = tuple(int(c) for c in random.integers(*COLOURS[kind], (3,)))
        picture.paste(colour, mask=cover)
        labels.paste(label, mask=cover.point(lambda value: 255 * (value >= 128)))
    noise = random.normal(0, 6, (SIDE, SIDE, 1))
    pixels = np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels), np.asarray(labels)


def _ground(random: Random) -> Image.Image:
    """Return ground of slowly and quickly changing greens."""
    coarse = random.integers([70, 90, 50], [120, 140, 90], (8, 8, 3)).astype(np.uint8)
    fine = random.integers(0, 255, (128, 128, 3)).astype(np.uint8)
    size = (SIDE, SIDE)
    ground = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    return Image.blend(ground, Image.fromarray(fine).resize(size), 0.08)


def _cover(points: Points) -> Image.Image:
    """Return how much of each pixel lies inside a polygon, 0 to 255."""
    large = Image.new("L", (SIDE * SUPERSAMPLING, SIDE * SUPERSAMPLING))
    ImageDraw.Draw(large).polygon([(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in points], 255)
    return large.resize((SIDE, SIDE), Image.Resampling.BOX)


def _roofs(random: Random) -> list[Points]:
    """Return turned rectangles, one in each cell of a grid that is not left empty."""
    found = []
    for cell in range(16):
        if random.random() < 0.3:
            continue
        middle = (cell % 4 * 128 + 64, cell // 4 * 128 + 64)
        half = random.uniform(12, 42, 2)
        found.append(_turned(middle, half, random.uniform(0, math.pi)))
    return found


def _turned(middle: tuple[float, float], half: NDArray[np.float64], angle: float) -> Points:
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]])
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    corners = [np.array(middle) + a * half[0] * along + b * half[1] * across for a, b in signs]
    return [(float(x), float(y)) for x, y in corners]


def _ponds(random: Random) -> list[Points]:
    """Return uneven rounds, one in each cell of a grid."""
    angles = np.linspace(0, 2 * math.pi, 90, endpoint=False)
    found = []
    for cell in range(9):
        col, row = (cell % 3 * 170 + 85, cell // 3 * 170 + 85)
        radius = random.uniform(15, 55)
        reach = np.full_like(angles, radius)
        for k in (2, 3, 5):
            wave = np.cos(k * angles + random.uniform(0, 6))
            reach += radius * random.uniform(0, 0.3 / k) * wave
        xs, ys = col + reach * np.cos(angles), row + reach * np.sin(angles)
        found.append([(float(x), float(y)) for x, y in zip(xs, ys, strict=True)])
    return found


def _river(random: Random) -> Points:
    """Return one winding band from edge to edge."""
    xs = np.linspace(-10, SIDE + 10, 120)
    middle = np.full_like(xs, SIDE / 2)
    for _ in range(2):
        wave = np.sin(xs / random.uniform(40, 120) + random.uniform(0, 6))
        middle += random.uniform(20, 90) * wave
    half = random.uniform(8, 25)
    there = [(float(x), float(y - half)) for x, y in zip(xs, middle, strict=True)]
    back = [(float(x), float(y + half)) for x, y in zip(xs, middle, strict=True)]
    return there + back[::-1]


KINDS: dict[str, Callable[[Random], list[Points]]] = {
    "drawn_ponds": _ponds,
    "drawn_rivers": lambda random: [_river(random)],
    "drawn_roofs": _roofs,
}
COLOURS: dict[str, tuple[int, int]] = {
    "drawn_ponds": (20, 70),
    "drawn_rivers": (30, 80),
    "drawn_roofs": (150, 235),
}
