"""The way from prompts to the mask that is measured: the server's own, step by step.

Everything that this evaluation knows of the product's inside is in this module.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from models.evaluation.configuration import Configuration
from models.evaluation.protocol import Box
from samgis_process.grid import Pixel
from samgis_process.inference import masks
from samgis_process.inference.frame import GRID, InputFrame
from samgis_process.inference.model import Decoded, Model, Seen
from samgis_process.inference.room import ModelRoom, load
from samgis_process.inference.scores import Kind, score
from samgis_process.inference.sessions import Runtime
from samgis_process.processes import outlines
from samgis_process.vector import upsample
from samgis_process.vector.contours import only_area
from samgis_process.vector.shapes import TOLERANCE

Bools = NDArray[np.bool_]
Held = tuple[int, int]
Choice = Callable[[Decoded, Held, Kind, masks.Rule], masks.Mask]


class Answer(NamedTuple):
    """What came back for one prompt set.

    Attributes:
        mask: bool (rows, cols), the outline drawn again.
        score: the answer's own estimate of its IoU.
        logits: float16 (256, 256), for the next click.
        decoded: all masks of the decoder.
        outline: polygons in the picture's pixels, counted from its corner.
        decode_s: CPU time of decoder and choice.
        outline_s: CPU time from logits to outline.
    """

    mask: Bools
    score: float
    logits: NDArray[np.float16]
    decoded: Decoded
    outline: BaseGeometry
    decode_s: float
    outline_s: float


def _product(decoded: Decoded, held: Held, kind: Kind, rule: masks.Rule) -> masks.Mask:
    return masks.choose(decoded, held, kind, rule)


def _largest_iou(decoded: Decoded, held: Held, kind: Kind, rule: masks.Rule) -> masks.Mask:
    return _one(decoded, held, kind, rule, int(decoded.predicted_iou.argmax()))


def _single(decoded: Decoded, held: Held, kind: Kind, rule: masks.Rule) -> masks.Mask:
    return _one(decoded, held, kind, rule, 0)


def _best_scored(decoded: Decoded, held: Held, kind: Kind, rule: masks.Rule) -> masks.Mask:
    """Return the mask that the calibrated score likes best; of a clear prompt, the first."""
    if kind != "click":
        return masks.choose(decoded, held, kind, rule)
    ranked = masks.rank(decoded, held, kind, rule)
    return max(ranked, key=lambda mask: mask.score)


def _one(decoded: Decoded, held: Held, kind: Kind, rule: masks.Rule, number: int) -> masks.Mask:
    """Return one of the masks, scored as the product would."""
    facts = masks.facts_of(decoded, held)[number]
    return masks.Mask(
        decoded.logits[number].astype(np.float16),
        facts.predicted_iou,
        facts.stability,
        score(facts, kind, rule.score),
    )


CHOICES: Mapping[str, Choice] = {
    "product": _product,
    "largest-iou": _largest_iou,
    "single": _single,
    "best-scored": _best_scored,
}


@dataclass(slots=True, eq=False)
class Encoded:
    """A model and what it made of the picture it saw last."""

    model: Model
    image: NDArray[np.uint8] | None = None
    seen: Seen | None = None
    seconds: float = 0.0

    def look(self, image: NDArray[np.uint8]) -> Seen:
        """Return what the decoder takes of `image`, made once for the same array."""
        if self.seen is None or self.image is not image:
            begun = time.process_time()
            self.seen = self.model.see(self.model.encode(image))
            self.seconds = time.process_time() - begun
            self.image = image
        return self.seen

    @property
    def rule(self) -> masks.Rule:
        """How the product chooses among this model's masks."""
        return masks.Rule.of(self.model)


@functools.cache
def opened(model: str, models_dir: Path) -> Encoded:
    """Return a model by id or directory, the same object for every configuration; one thread."""
    runtime = Runtime(threads=1)
    if Path(model).is_dir():
        return Encoded(load(Path(model), runtime))
    return Encoded(ModelRoom(models_dir, model, runtime).default)


class Predictor:
    """Answers prompts by a configuration; callable as the protocol asks."""

    def __init__(self, configuration: Configuration, models_dir: Path) -> None:
        self.configuration = configuration
        self.encoded = opened(configuration.model, models_dir)
        self._choose = CHOICES[configuration.choice]

    def __call__(
        self,
        image: NDArray[np.uint8],
        points: NDArray[np.float32],
        labels: NDArray[np.int8],
        box: Box | None,
        previous: NDArray[np.float16] | None,
    ) -> Answer:
        """Return the answer to prompts at pixel centres counted as whole numbers."""
        model = self.encoded.model
        frame = model.frame(image.shape[1], image.shape[0])
        seen = self.encoded.look(image)
        edges = None if box is None else (box[0], box[1], box[2] + 1, box[3] + 1)
        coords, kinds = prompts(points + 0.5, labels, edges, frame)
        begun = time.process_time()
        earlier = previous if self.configuration.previous else None
        decoded = model.decode(seen, coords, kinds, earlier)
        chosen = self._choose(decoded, frame.held, kind_of(kinds), self.encoded.rule)
        decoded_at = time.process_time()
        area = outline(chosen.logits, frame, edges, self.configuration.box_margin)
        done = time.process_time()
        return Answer(
            draw(area, image.shape[:2]),
            chosen.score,
            chosen.logits,
            decoded,
            area,
            decoded_at - begun,
            done - decoded_at,
        )


def kind_of(labels: NDArray[np.float32]) -> Kind:
    """Return what the prompts are."""
    if np.isin(labels, (2, 3)).any():
        return "box"
    return "click" if labels.tolist() == [1.0] else "clicks"


def prompts(
    points: NDArray[np.float32],
    labels: NDArray[np.int8],
    box: Box | None,
    frame: InputFrame,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return coordinates (n, 2) and labels (n,) for the decoder; positions from the corner."""
    places = [Pixel(float(x), float(y)) for x, y in points]
    kinds = [float(label) for label in labels]
    if box is not None:
        places += [Pixel(box[0], box[1]), Pixel(box[2], box[3])]
        kinds += [2.0, 3.0]
    return frame.coords(places), np.array(kinds, np.float32)


def outline(
    logits: NDArray[np.float16], frame: InputFrame, box: Box | None, margin: float | None
) -> BaseGeometry:
    """Return the object's area in the picture's pixels, as the server shapes it by default.

    Args:
        logits: (256, 256).
        frame: how the picture lies in the input frame.
        box: the prompted box as (left, top, right, bottom) from the corner, if there is one.
        margin: how far the area may reach over it, share of its sides; None for any.
    """
    clip = None if box is None or margin is None else outlines.Box(*box).widened(margin)
    area = outlines.outline(logits, frame, clip=clip)
    simple = shapely.simplify(area, TOLERANCE, preserve_topology=True)
    return only_area(shapely.make_valid(simple))


def spread(logits: NDArray[np.floating], frame: InputFrame) -> Bools:
    """Return the mask of logits (256, 256) pixel by pixel, bool (rows, cols) of the picture."""
    rows, cols = frame.held
    scale = (frame.scale[0] * GRID / frame.side, frame.scale[1] * GRID / frame.side)
    patch = upsample(logits[:rows, :cols].astype(np.float32), (frame.height, frame.width), scale)
    mask = np.zeros((frame.height, frame.width), bool)
    down, right = patch.values.shape
    rows, cols = patch.row_off, patch.col_off
    mask[rows : rows + down, cols : cols + right] = patch.values > 0
    return mask


def draw(area: BaseGeometry, shape: tuple[int, ...], offset: tuple[int, int] = (0, 0)) -> Bools:
    """Return the pixels whose centres lie in `area`, bool (rows, cols).

    `offset` is the (col, row) of the upper-left pixel.
    """
    if area.is_empty:
        return np.zeros(shape, bool)
    drawn = rasterio.features.rasterize(
        [area], out_shape=shape, transform=Affine.translation(*offset), dtype="uint8"
    )
    return np.asarray(drawn, bool)
