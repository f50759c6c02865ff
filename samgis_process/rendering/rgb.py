"""The plain rendering: three bands as red, green and blue, one band as grey."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RENDERING = "rgb:1"  # name and version; part of an embedding's key
# Where there is no data the model gets its own mean colour: nothing to see, no edge of black.
NOTHING = np.array([124, 116, 104], np.uint8)


def to_rgb(
    bands: NDArray[Any],
    valid: NDArray[np.bool_],
    stretch: tuple[tuple[float, float], ...] | None = None,
) -> NDArray[np.uint8]:
    """Return an image, uint8 (rows, cols, 3).

    Args:
        bands: (1 or 3, rows, cols), any number type.
        valid: (rows, cols), False where there is no data.
        stretch: (low, high) of each band, drawn as 0 and 255; None for bands that are uint8.
    """
    drawn = bands if stretch is None else _stretched(bands, stretch)
    image = np.broadcast_to(drawn, (3, *drawn.shape[1:])).transpose(1, 2, 0)
    result: NDArray[np.uint8] = np.where(valid[..., None], image, NOTHING).astype(np.uint8)
    return result


def _stretched(bands: NDArray[Any], stretch: tuple[tuple[float, float], ...]) -> NDArray[Any]:
    low, high = np.array(stretch, np.float32).T[:, :, None, None]
    span = np.where(high > low, high - low, 1)
    values = (np.nan_to_num(bands.astype(np.float32)) - low) / span
    drawn: NDArray[Any] = np.rint(np.clip(values, 0, 1) * 255)
    return drawn
