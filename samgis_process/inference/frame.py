"""The input frame: the picture as the encoder sees it, and positions in it.

Source: Kirillov et al. 2023, "Segment Anything", and its reference preprocessing: the longer side
resized to the model's input, both sides rounded half up, normalised, zeros to the right and below.
SAM 2 (Ravi et al. 2024) stretches the picture over the whole frame instead.
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

GRID = 256  # side of the decoder's mask grid; it covers the whole frame


@dataclass(frozen=True, slots=True)
class InputFrame:
    """How a picture of `width` x `height` pixels lies in the square of `side` pixels.

    `stretched` says that it fills the square, whatever its shape.
    """

    width: int
    height: int
    side: int = 1024
    stretched: bool = False

    @property
    def resized(self) -> tuple[int, int]:
        """(width, height) of the picture inside the frame."""
        if self.stretched:
            return self.side, self.side
        scale = self.side / max(self.width, self.height)
        return _round(self.width * scale), _round(self.height * scale)

    @property
    def scale(self) -> tuple[float, float]:
        """Frame pixels per picture pixel, in x and y: rounding makes them differ a little."""
        width, height = self.resized
        return width / self.width, height / self.height

    @property
    def held(self) -> tuple[int, int]:
        """(rows, cols) of the mask grid that hold picture; the rest is padding."""
        cols, rows = (-(-side * GRID // self.side) for side in self.resized)
        return rows, cols

    def coords(self, pixels: Sequence[Pixel]) -> NDArray[np.float32]:
        """Return positions as the decoder wants them, float32 (n, 2).

        The decoder counts from the centre of the upper-left pixel and we from its corner,
        hence the half pixel.
        """
        return (np.array(pixels, np.float64).reshape(-1, 2) * self.scale - 0.5).astype(np.float32)


def _round(value: float) -> int:
    return max(1, math.floor(value + 0.5))


def resized(image: NDArray[np.uint8], frame: InputFrame) -> NDArray[np.float32]:
    """Return an RGB image (rows, cols, 3) at its size inside the frame, float32, 0..255."""
    scaled = Image.fromarray(image).resize(frame.resized, Image.Resampling.BILINEAR)
    return np.asarray(scaled, np.float32)


def preprocess(image: NDArray[np.uint8], frame: InputFrame) -> NDArray[np.float32]:
    """Return an encoder's input, float32 (1, 3, side, side), of an RGB image (rows, cols, 3)."""
    cols, rows = frame.resized
    result = np.zeros((1, 3, frame.side, frame.side), np.float32)
    result[0, :, :rows, :cols] = ((resized(image, frame) - MEAN) / STD).transpose(2, 0, 1)
    return result
