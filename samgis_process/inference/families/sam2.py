"""The family `sam2`: SAM 2 and 2.1 as ONNX (Ravi et al. 2024, arXiv:2408.00714), for pictures.

The picture is stretched over the whole frame. Besides the embedding the encoder gives two finer
maps that the decoder draws outlines with; they are kept with it. Three masks, all readings of
one kind; logits on the 256 grid, clipped to +-32 by the exports seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.frame import GRID, InputFrame, preprocess
from samgis_process.inference.model import Decoded, Model, Seen
from samgis_process.inference.sessions import Node, Session

# What we call the features, and what exports call them.
SPELLINGS = {
    "image_embed": ("image_embed", "image_embeddings", "image_embedding"),
    "high_res_feats_0": ("high_res_feats_0", "high_res_features1", "high_res_features_0"),
    "high_res_feats_1": ("high_res_feats_1", "high_res_features2", "high_res_features_1"),
}
MASKS = ("low_res_masks", "masks", "low_res_logits")
PROMPTS = ("point_coords", "point_labels", "mask_input", "has_mask_input")
NUMPY = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}


class Sam2Model(Model):
    """A SAM 2 export."""

    preprocessing: ClassVar[str] = "sam-2:pillow-bilinear-stretched"

    def frame(self, width: int, height: int) -> InputFrame:
        """Return the frame, which the picture fills."""
        return InputFrame(width, height, stretched=True)

    @property
    def single(self) -> bool:
        """Of four masks the first is the single reading; of three none is."""
        count = self._session(self.manifest.decoder).outputs["iou_predictions"].shape[-1]
        return count == 4

    def _picture_feeds(self, image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        (name,) = self._session(self.manifest.encoder).inputs
        height, width = image.shape[:2]
        return {name: preprocess(image, self.frame(width, height))}

    def _feature_names(self) -> Mapping[str, str]:
        outputs = self._session(self.manifest.encoder).outputs
        return {_spelled(ours, outputs): ours for ours in SPELLINGS}

    def _decode(self, seen: Seen, feeds: dict[str, NDArray[np.float32]]) -> Decoded:
        session = self._session(self.manifest.decoder)
        features = {_spelled(ours, session.inputs): value for ours, value in seen.items()}
        typed = {name: _shaped(feed, session.inputs[name]) for name, feed in feeds.items()}
        if "orig_im_size" in session.inputs:
            node = session.inputs["orig_im_size"]
            typed["orig_im_size"] = np.array([GRID, GRID], NUMPY[node.type])
        masks = next(name for name in MASKS if name in session.outputs)
        found = session.run({masks: "logits", "iou_predictions": "iou"}, {**features, **typed})
        return Decoded(found["logits"][0], found["iou"][0])

    def _check(self, name: str, session: Session) -> None:
        is_decoder = name == self.manifest.decoder
        side = session.inputs if is_decoder else session.outputs
        missing = [ours for ours, spelled in SPELLINGS.items() if not set(spelled) & side.keys()]
        if is_decoder:
            missing += [prompt for prompt in PROMPTS if prompt not in session.inputs]
            missing += [] if set(MASKS) & session.outputs.keys() else ["masks"]
            missing += [] if "iou_predictions" in session.outputs else ["iou_predictions"]
        odd = [node.name for node in session.inputs.values() if node.type not in NUMPY]
        if missing or odd:
            raise ModelUnavailable(
                f"{name} of {self.id}: not of SAM 2; missing: {', '.join(missing) or '-'}, of "
                f"another type: {', '.join(odd) or '-'}; found "
                f"{', '.join(session.inputs)} -> {', '.join(session.outputs)}"
            )


def _spelled(ours: str, nodes: Mapping[str, Node]) -> str:
    """Return what a graph calls one of the features."""
    return next(name for name in SPELLINGS[ours] if name in nodes)


def _shaped(feed: NDArray[np.float32], node: Node) -> NDArray[Any]:
    """Return a feed in the type and rank that the graph wants: some say (1, 1) for (1)."""
    missing = len(node.shape) - feed.ndim
    return feed.reshape(feed.shape + (1,) * missing).astype(NUMPY[node.type])
