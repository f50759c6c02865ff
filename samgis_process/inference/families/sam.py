"""The family `sam`: the graphs that we author; the embedding is handed over as tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samgis_process.inference.frame import GRID, preprocess
from samgis_process.inference.model import Decoded, Model, Seen
from samgis_process.inference.sessions import Session, require

ENCODER_INPUTS = {"image": (1, 3, 1024, 1024)}
ENCODER_OUTPUTS = {"tokens": (4096, 256)}
DECODER_INPUTS = {
    "tokens": (4096, 256),
    "point_coords": (1, None, 2),
    "point_labels": (1, None),
    "mask_input": (1, 1, GRID, GRID),
    "has_mask_input": (1,),
}
DECODER_OUTPUTS = {"low_res_masks": (1, 4, GRID, GRID), "iou_predictions": (1, 4)}


class SamModel(Model):
    """MobileSAM and what is tuned from it."""

    def _picture_feeds(self, image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        height, width = image.shape[:2]
        return {"image": preprocess(image, self.frame(width, height))}

    def _feature_names(self) -> Mapping[str, str]:
        return {"tokens": "tokens"}

    def _decode(self, seen: Seen, feeds: dict[str, NDArray[np.float32]]) -> Decoded:
        outputs = {"low_res_masks": "logits", "iou_predictions": "iou"}
        found = self._session(self.manifest.decoder).run(outputs, {**seen, **feeds})
        return Decoded(found["logits"][0], found["iou"][0])

    def _check(self, name: str, session: Session) -> None:
        is_decoder = name == self.manifest.decoder
        inputs = DECODER_INPUTS if is_decoder else ENCODER_INPUTS
        outputs = DECODER_OUTPUTS if is_decoder else ENCODER_OUTPUTS
        require(session.inputs, inputs, f"{name} of {self.id}, inputs")
        require(session.outputs, outputs, f"{name} of {self.id}, outputs")
