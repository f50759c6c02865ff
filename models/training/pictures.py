"""Pictures to train on, seen anew each time: turned, cropped, shrunk, recoloured, blurred.

A sample is an RGB picture uint8 (rows, cols, 3) and its label map int32 (rows, cols): 0 is
background or unlabelled, every other number one connected object.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage as ndi

Sample = tuple[np.ndarray, np.ndarray]
Rng = np.random.Generator

# Only these may be trained on and shipped; see README.md for their licences.
LICENSED = {"oam_banepa": 0.45, "naip_potholes": 0.33, "landsat_ucayali": 0.22}
MIN_SHARE, MAX_SHARE = 0.001, 0.6  # of the picture, as in the click protocol


def pairs(root: Path, split: str) -> dict[str, list[Sample]]:
    """Return the samples of a split, source by source; of `train` the licensed ones only."""
    found: dict[str, list[Sample]] = {}
    with (root / "index.csv").open(newline="") as index:
        for row in csv.DictReader(index):
            allowed = split != "train" or row["source"] in LICENSED
            if row["split"] == split and allowed:
                found.setdefault(row["source"], []).append(read(root, row))
    return found


def read(root: Path, row: dict[str, str]) -> Sample:
    """Return one picture with its label map."""
    path = root / row["split"] / row["source"] / row["name"]
    labels = np.asarray(Image.open(path.with_name(path.stem + "_mask.png"))).astype(np.int32)
    return np.asarray(Image.open(path).convert("RGB")), labels


def varied(samples: list[Sample], rng: Rng) -> Sample:
    """Return a new view of `samples`: a window of one of them, or of four side by side.

    The window's side is 0.5 to 2 times a picture's, so that objects come in many sizes.
    """
    zoom = 2 ** rng.uniform(-1, 1)
    if zoom > 1:
        image, labels = mosaic([samples[rng.integers(len(samples))] for _ in range(4)], rng)
    else:
        image, labels = turned(samples[rng.integers(len(samples))], rng)
    side = zoom * min(samples[0][0].shape[:2])
    image, labels = window(image, labels, side, rng)
    return photographed(image, rng), objects(labels)


def turned(sample: Sample, rng: Rng) -> Sample:
    """Return the sample turned by a quarter some times, and perhaps mirrored."""
    quarter, mirror = rng.integers(4), rng.integers(2)
    image, labels = (np.rot90(array, quarter) for array in sample)
    return (image[:, ::-1], labels[:, ::-1]) if mirror else (image, labels)


def mosaic(samples: list[Sample], rng: Rng) -> Sample:
    """Return four samples side by side; labels stay apart."""
    side = min(min(image.shape[:2]) for image, _ in samples)
    image = np.zeros((2 * side, 2 * side, 3), np.uint8)
    labels = np.zeros((2 * side, 2 * side), np.int32)
    for place, sample in enumerate(samples):
        part, marks = turned(sample, rng)
        at = np.s_[place // 2 * side :, place % 2 * side :]
        image[at][:side, :side] = part[:side, :side]
        marks = marks[:side, :side]
        labels[at][:side, :side] = np.where(marks, marks + 10_000 * place, 0)
    return image, labels


def window(image: np.ndarray, labels: np.ndarray, side: float, rng: Rng) -> Sample:
    """Return a random window, one side `side` pixels long, the other down to 0.6 of it."""
    sides = np.array([side, side * rng.uniform(0.6, 1)])
    sides = np.minimum(rng.permutation(sides).astype(int), image.shape[:2])
    row, col = (
        rng.integers(full - part + 1) for full, part in zip(image.shape, sides, strict=False)
    )
    at = np.s_[row : row + sides[0], col : col + sides[1]]
    return image[at], labels[at]


def objects(labels: np.ndarray) -> np.ndarray:
    """Return connected objects of a fitting size, numbered from 1; a cut may leave several."""
    result, count = np.zeros(labels.shape, np.int32), 0
    _, packed = np.unique(labels, return_inverse=True)
    packed = packed.reshape(labels.shape) + (0 if (labels == 0).any() else 1)
    for number, place in enumerate(ndi.find_objects(packed), start=1):
        if place is None:
            continue
        parts, found = ndi.label(packed[place] == number)
        for part in range(1, found + 1):
            share = np.count_nonzero(parts == part) / labels.size
            if MIN_SHARE <= share <= MAX_SHARE:
                count += 1
                result[place][parts == part] = count
    return result


def photographed(image: np.ndarray, rng: Rng) -> np.ndarray:
    """Return the picture as another camera, another hour and another archive would have it."""
    x = image.astype(np.float32) / 255
    x = recoloured(x, rng)
    if rng.random() < 0.4:
        x = ndi.gaussian_filter(x, (*[rng.uniform(0.3, 1.5)] * 2, 0))
    if rng.random() < 0.5:
        x = x + rng.normal(0, rng.uniform(0.003, 0.03), x.shape)
    result = (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.4:  # coarser ground resolution, as other sources have it
        rows, cols = image.shape[:2]
        factor = rng.uniform(0.4, 1) if min(rows, cols) > 300 else rng.uniform(0.7, 1)
        small = Image.fromarray(result).resize((int(cols * factor), int(rows * factor)), 3)
        result = np.asarray(small.resize((cols, rows), Image.Resampling.BICUBIC))
    return archived(result, rng) if rng.random() < 0.5 else result


def recoloured(x: np.ndarray, rng: Rng) -> np.ndarray:
    """Return the picture (0 to 1) in another light: contrast, gamma, cast, saturation, bands."""
    if rng.random() < 0.85:
        x = np.clip(x, 0, 1) ** np.exp(rng.normal(0, 0.25))
        x = (x - 0.5) * np.exp(rng.normal(0, 0.25)) + 0.5 + rng.normal(0, 0.08)
        x = x * np.exp(rng.normal(0, 0.08, 3))
        grey = x.mean(-1, keepdims=True)
        x = grey + (x - grey) * rng.uniform(0.3, 1.5)
    if rng.random() < 0.08:
        x = x[..., rng.permutation(3)]
    elif rng.random() < 0.08:
        x = np.repeat(x.mean(-1, keepdims=True), 3, -1)
    return x


def archived(image: np.ndarray, rng: Rng) -> np.ndarray:
    """Return the picture after a JPEG file of poor to good quality."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(rng.integers(35, 95)))
    return np.asarray(Image.open(file))
