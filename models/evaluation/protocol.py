"""Clicks and boxes as a careful user would give them, the same for everyone who repeats them.

The first click is the pixel farthest from the object's border, each further one the same in the
largest connected region that is still wrong; the box is the tight one, each side moved a little.
Positions are (x, y) of pixel centres, which lie at whole numbers; a box includes its last pixels.
The procedure of interactive segmentation's benchmarks (Sofiiuk et al. 2021, arXiv:2102.06583).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SEED = 20240607
PER_PICTURE = 12  # objects at most
SHARES = (0.001, 0.60)  # of the picture that an object may cover
CLICKS = (1, 3, 5)
JITTER = 0.05  # of the box's sides
BOX_STRIDE = 7919  # sets the boxes' seeds apart

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]

# (image, points (k, 2) float32, labels (k,) int8, box or None, previous logits or None) to
# (mask, score) or (mask, score, logits, ...); several masks come as (m, rows, cols) with m scores.
Predict = Callable[..., tuple[Any, ...]]


class Click(NamedTuple):
    """A pixel; label 1 belongs to the object, 0 does not."""

    x: float
    y: float
    label: int


class Step(NamedTuple):
    """A prompt set, the mask that counts, and everything `predict` said."""

    points: NDArray[np.float32]
    labels: NDArray[np.int8]
    box: Box | None
    mask: Mask
    said: tuple[Any, ...]


def choose_objects(labels: NDArray[np.int32], key: str, limit: int = PER_PICTURE) -> list[int]:
    """Return the objects of usable size in a label map, at most `limit`, drawn by `key`."""
    areas = np.bincount(labels.ravel())
    shares = areas / labels.size
    found = [i for i in range(1, len(areas)) if SHARES[0] <= shares[i] <= SHARES[1]]
    if len(found) > limit:
        found = sorted(_random(_seed(key)).choice(found, limit, replace=False).tolist())
    return [int(i) for i in found]


def pick(count: int, limit: int | None) -> list[int]:
    """Return which of `count` objects are used: all, or a drawn subset in order."""
    if not limit or count <= limit:
        return list(range(count))
    return sorted(_random(SEED).permutation(count)[:limit].tolist())


def centre_click(region: Mask) -> tuple[float, float]:
    """Return the pixel farthest from a region's border; the picture's edge is border too.

    Distances are measured inside the region's own rectangle: whatever lies beyond the ring of
    pixels around it is farther away than that ring.
    """
    rows, cols = extent(region)
    distance = ndimage.distance_transform_edt(np.pad(region[rows, cols], 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    return float(x + cols.start), float(y + rows.start)


def next_click(truth: Mask, mask: Mask) -> Click | None:
    """Return a click into the largest connected error, None when there is none."""
    if np.array_equal(truth, mask):
        return None
    rows, cols = extent(truth | mask)
    wanted, given = truth[rows, cols], mask[rows, cols]
    missed, wrong = _largest(wanted & ~given), _largest(given & ~wanted)
    label = int(missed.sum() >= wrong.sum())
    region = np.zeros_like(truth)
    region[rows, cols] = missed if label else wrong
    return Click(*centre_click(region), label)


def jittered_box(truth: Mask, object_id: int) -> Box:
    """Return the tight box, each side moved by up to 5 % of the box, inside the picture."""
    rows, cols = extent(truth)
    height, width = rows.stop - rows.start, cols.stop - cols.start
    moved = _random((SEED + BOX_STRIDE * object_id) % 2**32).uniform(-JITTER, JITTER, 4)
    xs = [cols.start + moved[0] * width, cols.stop - 1 + moved[2] * width]
    ys = [rows.start + moved[1] * height, rows.stop - 1 + moved[3] * height]
    left, right = np.clip(xs, 0, truth.shape[1] - 1)
    top, bottom = np.clip(ys, 0, truth.shape[0] - 1)
    return float(left), float(top), float(right), float(bottom)


def iou(first: Mask, second: Mask) -> float:
    """Return intersection over union, 1 for two empty masks."""
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 1.0


def click_steps(predict: Predict, image: Image, truth: Mask, clicks: int) -> Iterator[Step]:
    """Yield the answer after each click; it ends early when nothing is wrong any more."""
    given: list[Click] = []
    mask, previous = np.zeros(truth.shape, bool), None
    for _ in range(clicks):
        click = next_click(truth, mask)
        if click is None:
            return
        given.append(click)
        step = _ask(predict, image, given, None, previous)
        mask, previous = step.mask, step.said[2] if len(step.said) > 2 else None
        yield step


def box_step(predict: Predict, image: Image, truth: Mask, object_id: int) -> Step:
    """Return the answer to the object's box."""
    return _ask(predict, image, [], jittered_box(truth, object_id), None)


def run_object(
    predict: Predict, image: Image, truth: Mask, object_id: int, clicks: Sequence[int] = CLICKS
) -> dict[str, float]:
    """Return IoU by `c1`, `c3`, ... and `box`; after a perfect mask later clicks keep its IoU."""
    ious = [iou(step.mask, truth) for step in click_steps(predict, image, truth, max(clicks))]
    found = {f"c{count}": ious[min(count, len(ious)) - 1] for count in clicks}
    return found | {"box": iou(box_step(predict, image, truth, object_id).mask, truth)}


def table(
    results: Mapping[str, Sequence[Mapping[str, float]]], seconds: float
) -> dict[str, dict[str, float] | float]:
    """Return means per source, over all objects and over the sources, and the time taken."""
    sources = {source: _means(rows) for source, rows in sorted(results.items())}
    if not sources:
        return {}
    everything = _means([row for _, rows in sorted(results.items()) for row in rows])
    keys = [key for key in everything if key != "objects"]
    means: dict[str, float] = {
        key: float(np.mean([row[key] for row in sources.values()])) for key in keys
    }
    means["objects"] = everything["objects"]
    return {**sources, "all": everything, "mean_of_sources": means, "seconds": round(seconds, 1)}


def extent(mask: Mask) -> tuple[slice, slice]:
    """Return the rows and columns of the tight rectangle around what is True."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)


def _ask(
    predict: Predict, image: Image, clicks: list[Click], box: Box | None, previous: Any
) -> Step:
    points = np.array([click[:2] for click in clicks], np.float32).reshape(-1, 2)
    labels = np.array([click.label for click in clicks], np.int8)
    said = predict(image, points, labels, box, previous)
    mask = np.asarray(said[0])
    if mask.ndim == 3:  # the model's own estimate decides
        mask = mask[int(np.argmax(np.asarray(said[1], float).ravel()))]
    if mask.shape != image.shape[:2]:
        raise ValueError(f"mask {mask.shape} of an image {image.shape[:2]}")
    return Step(points, labels, box, mask if mask.dtype == bool else mask > 0, said)


def _largest(errors: Mask) -> Mask:
    """Return the largest 4-connected region, the first in row order among equals."""
    regions, count = ndimage.label(errors)
    if not count:
        return errors
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    return np.asarray(regions == int(sizes.argmax()))


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return means | {"objects": len(rows)}


def _seed(key: str) -> int:
    seed = SEED
    for byte in key.encode():
        seed = (seed * 131 + byte) % 2**32
    return seed


def _random(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)  # unlike newer generators, its stream is fixed for ever
