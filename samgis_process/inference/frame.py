"""The input frame: the picture as the encoder sees it, and positions in it.

Source: Kirillov et al. 2023, "Segment Anything", and its reference preprocessing: the longer side
resized to the model's input, both sides rounded half up, normalised, zeros to the right and below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from samgis_process.grid import Pixel

# ImageNet statistics in 0..255, as the reference implementation has them.
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)

PREPROCESSING = "sam-1:pillow-bilinear"  # part of an embedding's key: change it with the pixels


@dataclass(frozen=True, slots=True)
class InputFrame:
    """How a picture of `width` x `height` pixels lies in the square of `side` pixels."""

    width: int
    height: int
    side: int = 1024

    @property
    def resized(self) -> tuple[int, int]:
        """(width, height) of the picture inside the frame."""
        scale = self.side / max(self.width, self.height)
        return _round(self.width * scale), _round(self.height * scale)

    @property
    def scale(self) -> tuple[float, float]:
        """Frame pixels per picture pixel, in x and y: rounding makes them differ a little."""
        width, height = self.resized
        return width / self.width, height / self.height

    def coords(self, pixels: Sequence[Pixel]) -> NDArray[np.float32]:
        """Return positions as the decoder wants them, float32 (n, 2).

        The decoder counts from the centre of the upper-left pixel and we from its corner,
        hence the half pixel.
        """
        return (np.array(pixels, np.float64).reshape(-1, 2) * self.scale - 0.5).astype(np.float32)


def _round(value: float) -> int:
    return max(1, math.floor(value + 0.5))


def preprocess(image: NDArray[np.uint8], side: int = 1024) -> NDArray[np.float32]:
    """Return the encoder's input, float32 (1, 3, side, side), of an RGB image (rows, cols, 3)."""
    height, width = image.shape[:2]
    frame = InputFrame(width, height, side)
    resized = Image.fromarray(image).resize(frame.resized, Image.Resampling.BILINEAR)
    cols, rows = frame.resized
    result = np.zeros((1, 3, side, side), np.float32)
    result[0, :, :rows, :cols] = ((np.asarray(resized, np.float32) - MEAN) / STD).transpose(
        2, 0, 1
    )
    return result
