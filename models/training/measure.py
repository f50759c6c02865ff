"""Measure a decoder by the click protocol.

    python -m models.training.measure PAIRS CACHE DECODER.onnx RECORDS.jsonl --encoder ENCODER.onnx

The graphs are those the package builds (README.md says how), so that what is measured is what is
served. One line a record: a picture's object with its IoU after 1, 3 and 5 clicks and for the
box, and for the first click the IoU and predicted IoU of all four masks.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from models.training import protocol
from models.training.encoder import frame, framed_size

log = logging.getLogger(__name__)

GRID = 256
CELL = 4  # frame pixels
CLICKS = (1, 3, 5)
CLIP = 32.0
WHOLE_WINDOW = 0.7  # the server's guard against masks of the whole picture
MARGIN = 0.02  # how far a mask may reach over a prompted box


class Picture:
    """A picture as the decoder sees it: embedding, and the way between its pixels and the grid."""

    def __init__(self, tokens: np.ndarray, shape: tuple[int, int]) -> None:
        self.tokens, self.shape = tokens.astype(np.float32), shape
        width, height = framed_size(*shape)
        self.scale = np.array([width / shape[1], height / shape[0]])
        self.held = -(-height // CELL), -(-width // CELL)
        self.across = interpolation(shape[1], self.scale[0] / CELL, self.held[1])
        self.down = interpolation(shape[0], self.scale[1] / CELL, self.held[0])

    def coords(self, points: np.ndarray) -> np.ndarray:
        """Return positions from the picture's corner as the decoder wants them."""
        return (points * self.scale - 0.5).astype(np.float32)

    def mask(self, logits: np.ndarray) -> np.ndarray:
        """Return the pixels of a mask, by bilinear interpolation of its logits."""
        rows, cols = self.held
        return self.down @ logits[:rows, :cols].astype(np.float32) @ self.across.T > 0


def interpolation(pixels: int, cells_per_pixel: float, held: int) -> np.ndarray:
    """Return the weights (pixels, held) of linear interpolation between cell centres."""
    at = np.clip((np.arange(pixels) + 0.5) * cells_per_pixel - 0.5, 0, held - 1)
    low = np.minimum(at.astype(int), held - 2) if held > 1 else np.zeros(pixels, int)
    weights = np.zeros((pixels, max(held, 2)), np.float32)
    weights[np.arange(pixels), low] = 1 - (at - low)
    weights[np.arange(pixels), low + 1] = at - low
    return weights[:, :held]


class Decoder:
    """A built decoder graph on one thread."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def __call__(
        self,
        tokens: np.ndarray,
        coords: np.ndarray,
        labels: list[int],
        earlier: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return logits (4, 256, 256) and predicted IoU (4,) of one prompt set."""
        kinds = np.array(labels, np.float32)
        if 2 not in labels:  # a padding point stands where a box is missing
            coords = np.vstack([coords, np.zeros((1, 2), np.float32)])
            kinds = np.append(kinds, np.float32(-1))
        mask = np.zeros((GRID, GRID), np.float32) if earlier is None else earlier
        feeds = {
            "tokens": tokens,
            "point_coords": coords[None],
            "point_labels": kinds[None],
            "mask_input": np.clip(mask.astype(np.float32), -CLIP, CLIP)[None, None],
            "has_mask_input": np.array([earlier is not None], np.float32),
        }
        logits, predicted = self.session.run(["low_res_masks", "iou_predictions"], feeds)
        return logits[0], predicted[0]


def record(decoder: Decoder, picture: Picture, truth: np.ndarray, number: int) -> dict:
    """Return what one object gets; after the first click always the single reading."""
    found: dict = {}
    points, labels, earlier = [], [], None
    mask = np.zeros(truth.shape, bool)
    for click in range(1, max(CLICKS) + 1):
        step = protocol.next_click(truth, mask)
        if step is not None:
            points.append(step[:2])
            labels.append(step[2])
            coords = picture.coords(np.array(points) + 0.5)
            logits, predicted = decoder(picture.tokens, coords, labels, earlier)
            if click == 1:
                found |= first_click(picture, logits, predicted, truth)
            earlier = logits[0].astype(np.float16)
            mask = picture.mask(earlier)
        if click in CLICKS:
            found[f"c{click}"] = protocol.iou(mask, truth)
    return found | boxed(decoder, picture, truth, number)


def first_click(
    picture: Picture, logits: np.ndarray, predicted: np.ndarray, truth: np.ndarray
) -> dict:
    """Return IoU and predicted IoU of the four masks, and which one the server would take."""
    rows, cols = picture.held
    reached = [protocol.iou(picture.mask(each), truth) for each in logits]
    held = logits[1:, :rows, :cols]
    stability = (held > 1).sum((1, 2)) / np.maximum((held > -1).sum((1, 2)), 1)
    guarded = (held > 0).mean((1, 2)) < WHOLE_WINDOW
    ranks = [
        (bool(g), float(p + s)) for g, p, s in zip(guarded, predicted[1:], stability, strict=True)
    ]
    return {
        "masks": [round(value, 4) for value in reached],
        "predicted": [round(float(value), 4) for value in predicted],
        "guard": 1 + ranks.index(max(ranks)),
    }


def boxed(decoder: Decoder, picture: Picture, truth: np.ndarray, number: int) -> dict:
    """Return the IoU for the box prompt, the mask cut to the box and a margin."""
    left, top, right, bottom = protocol.jittered_box(truth, number)
    right, bottom = right + 1, bottom + 1  # from pixel centres to edges
    coords = picture.coords(np.array([[left, top], [right, bottom]]))
    logits, predicted = decoder(picture.tokens, coords, [2, 3], None)
    mask = picture.mask(logits[0])
    across, along = max(1.0, MARGIN * (right - left)), max(1.0, MARGIN * (bottom - top))
    rows, cols = np.arange(truth.shape[0]) + 0.5, np.arange(truth.shape[1]) + 0.5
    inside = (np.abs(rows - (top + bottom) / 2) < (bottom - top) / 2 + along)[:, None]
    inside = inside & (np.abs(cols - (left + right) / 2) < (right - left) / 2 + across)
    return {
        "box": protocol.iou(mask & inside, truth),
        "box_predicted": round(float(predicted[0]), 4),
    }


def embedding(image: np.ndarray, cached: Path, encoder: ort.InferenceSession | None) -> np.ndarray:
    """Return an embedding, from the cache where it is there; float16 as the server keeps it."""
    if not cached.exists():
        if encoder is None:
            raise FileNotFoundError(f"{cached.name}: name the encoder to fill the cache")
        tokens = encoder.run(["tokens"], {"image": frame(image)[None]})[0].astype(np.float16)
        cached.parent.mkdir(parents=True, exist_ok=True)
        np.save(cached, tokens)
    return np.load(cached)


def already(records: Path) -> set[tuple]:
    """Return the objects that were measured before, so that a broken run can go on."""
    lines = records.read_text().splitlines() if records.exists() else []
    return {tuple(json.loads(line)[key] for key in ("source", "name", "object")) for line in lines}


def main() -> None:
    """Measure, and append one line an object as it is done."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser()
    parser.add_argument("pairs", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("decoder", type=Path)
    parser.add_argument("records", type=Path)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--every", type=int, default=1, help="take every n-th object")
    asked = parser.parse_args()
    decoder = Decoder(asked.decoder)
    encoder = ort.InferenceSession(asked.encoder) if asked.encoder else None
    with (asked.pairs / "index.csv").open(newline="") as index:
        rows = [row for row in csv.DictReader(index) if row["split"] == asked.split]
    rows.sort(key=lambda row: (row["source"], row["name"]))
    count = 0
    done = already(asked.records)
    with asked.records.open("a") as out:
        for row in rows:
            path = asked.pairs / row["split"] / row["source"] / row["name"]
            image = np.asarray(Image.open(path).convert("RGB"))
            marks = np.asarray(Image.open(path.with_name(path.stem + "_mask.png"))).astype(
                np.int32
            )
            cached = asked.cache / f"{asked.split}-{row['source']}-{path.stem}.npy"
            picture = Picture(embedding(image, cached, encoder), marks.shape)
            for number in protocol.chosen_objects(marks, f"{row['source']}/{row['name']}"):
                count += 1
                about = {"source": row["source"], "name": row["name"], "object": number}
                if count % asked.every == 0 and tuple(about.values()) not in done:
                    found = record(decoder, picture, marks == number, number)
                    out.write(json.dumps(about | found) + "\n")
                    out.flush()
    log.info("%d objects", count)


if __name__ == "__main__":
    main()
