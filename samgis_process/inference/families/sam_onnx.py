"""The family `sam-onnx`: exports of Segment Anything by others, whatever they call things.

One contract with many spellings: an encoder from picture to embedding, a decoder with SAM's six
inputs. Names, ranks and types are read from the graphs. Seen in the wild: the encoder's input as
(1, 3, side, side) normalised or as (rows, cols, 3) in 0..255; a side of 512 with coordinates that
still count to 1024 (EfficientViT-SAM); labels as int64; one mask or four.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.frame import GRID, InputFrame, preprocess, resized
from samgis_process.inference.model import Decoded, Model, Seen
from samgis_process.inference.sessions import Node, Session

COORDINATES = 1024  # what the decoder's coordinates count to, whatever the encoder's side
NUMPY = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
EMBEDDING = "image_embeddings"
PROMPTS = ("point_coords", "point_labels", "mask_input", "has_mask_input")


class SamOnnxModel(Model):
    """A foreign export of the SAM 1 contract."""

    def frame(self, width: int, height: int) -> InputFrame:
        """Return the frame in which prompts are placed."""
        return InputFrame(width, height, COORDINATES)

    @property
    def single(self) -> bool:
        """Of four masks the first is the single reading; of three none is."""
        count = self._session(self.manifest.decoder).outputs["iou_predictions"].shape[-1]
        return count != 3

    def _picture_feeds(self, image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        (node,) = self._session(self.manifest.encoder).inputs.values()
        height, width = image.shape[:2]
        if len(node.shape) == 4:
            side = node.shape[-1]
            frame = InputFrame(width, height, side if isinstance(side, int) else COORDINATES)
            return {node.name: preprocess(image, frame)}
        return {node.name: resized(image, self.frame(width, height))}

    def _feature_names(self) -> Mapping[str, str]:
        (name,) = self._session(self.manifest.encoder).outputs
        return {name: EMBEDDING}

    def _decode(self, seen: Seen, feeds: dict[str, NDArray[np.float32]]) -> Decoded:
        session = self._session(self.manifest.decoder)
        typed: dict[str, NDArray[Any]] = {
            name: feed.astype(_dtype(session.inputs[name])) for name, feed in feeds.items()
        }
        if "orig_im_size" in session.inputs:  # of masks at full size, which nobody looks at
            typed["orig_im_size"] = np.array([GRID, GRID], _dtype(session.inputs["orig_im_size"]))
        outputs = {"low_res_masks": "logits", "iou_predictions": "iou"}
        found = session.run(outputs, {**seen, **typed})
        return Decoded(found["logits"][0], found["iou"][0])

    def _check(self, name: str, session: Session) -> None:
        where = f"{name} of {self.id}"
        if name == self.manifest.decoder:
            _check_decoder(session, where, (EMBEDDING, *PROMPTS))
        elif not _is_encoder(session):
            raise ModelUnavailable(
                f"{where}: expected one picture, (1, 3, side, side) or (rows, cols, 3) float32, "
                f"and one embedding (1, 256, 64, 64); found {_words(session)}"
            )


def _is_encoder(session: Session) -> bool:
    if len(session.inputs) != 1 or len(session.outputs) != 1:
        return False
    (picture,), (embedding,) = session.inputs.values(), session.outputs.values()
    tensor = len(picture.shape) == 4 and picture.shape[1] == 3
    image = len(picture.shape) == 3 and picture.shape[2] == 3
    ranks = len(embedding.shape) == 4 and embedding.shape[1] in (256, "?")
    return picture.type == "tensor(float)" and (tensor or image) and ranks


def _check_decoder(session: Session, where: str, needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in session.inputs]
    missing += [n for n in ("low_res_masks", "iou_predictions") if n not in session.outputs]
    unknown = session.inputs.keys() - {*needed, "orig_im_size"}
    odd = [node.name for node in session.inputs.values() if node.type not in NUMPY]
    if missing or unknown or odd:
        raise ModelUnavailable(
            f"{where}: not a decoder of Segment Anything; missing: {', '.join(missing) or '-'}, "
            f"unknown: {', '.join(sorted(unknown)) or '-'}, of another type: "
            f"{', '.join(odd) or '-'}; found {_words(session)}"
        )


def _dtype(node: Node) -> type:
    return NUMPY[node.type]


def _words(session: Session) -> str:
    """Return a graph's inputs and outputs for a message."""
    sides = (session.inputs.values(), session.outputs.values())
    return " -> ".join(
        ", ".join(f"{node.name} {node.type} {list(node.shape)}" for node in side) for side in sides
    )
