"""Draw raw bands as a picture, the way a `Rendering` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samgis_process.rendering.bands import BYTE, Span
from samgis_process.rendering.spec import Channel, Rendering

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, what image libraries call grey

# Where there is no data the model gets its own mean colour: nothing to see, no edge of black.
NOTHING = np.array([124, 116, 104], np.uint8)


def draw(
    bands: NDArray[Any],
    valid: NDArray[np.bool_],
    rendering: Rendering,
    surveyed: Mapping[Channel, Span],
) -> NDArray[np.uint8]:
    """Return an image, uint8 (rows, cols, 3).

    Args:
        bands: those of `rendering.bands`, in that order: (bands, rows, cols), any real dtype.
        valid: (rows, cols), False where there is no data.
        surveyed: the values between which each of `rendering.surveys` is drawn.
    """
    by_number = dict(zip(rendering.bands, bands, strict=True))
    layers = []
    for channel in rendering.channels:
        stretch = channel.stretch if isinstance(channel.stretch, Span) else surveyed[channel]
        layers.append(_level(values(channel, by_number), stretch))
    if rendering.luma:
        grey = sum(layer * np.float32(part) for layer, part in zip(layers, LUMA, strict=True))
        layers = [np.rint(grey).astype(np.uint8)]
    image = np.stack(layers * (3 // len(layers)), axis=-1)
    result: NDArray[np.uint8] = np.where(valid[..., None], image, NOTHING)
    return result


def values(channel: Channel, bands: Mapping[int, NDArray[Any]]) -> NDArray[Any]:
    """Return what is stretched: the band, or the normalised difference, float64, 0 where 0 / 0."""
    if channel.minus is None:
        return bands[channel.band]
    first = bands[channel.band].astype(np.float64)
    second = bands[channel.minus].astype(np.float64)
    total = first + second
    quotient = np.zeros_like(total)
    with np.errstate(over="ignore", invalid="ignore"):
        np.divide(first - second, total, out=quotient, where=total != 0)
    return quotient


def _level(band: NDArray[Any], span: Span) -> NDArray[np.uint8]:
    """Return 0..255. In float64: a 32-bit integer does not fit float32."""
    if band.dtype == np.uint8 and span == BYTE:
        return band
    width = span.high - span.low if span.high > span.low else 1.0
    with np.errstate(over="ignore"):
        share = (np.nan_to_num(band.astype(np.float64)) - span.low) / width
    drawn: NDArray[np.uint8] = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return drawn
