"""Pixels out of an open dataset: masks, the colours of a palette, percentiles of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from samgis_process.rendering import Channel, Span, values

REFERENCE_SIDE = 1024  # pixels along the long side of the overview that percentiles are taken from


def common_dtype(dataset: Any, bands: Sequence[int]) -> np.dtype[Any]:
    """Return the dtype that holds all of `bands`; rasterio reads them at once only as one."""
    return np.result_type(*(np.dtype(dataset.dtypes[band - 1]) for band in bands))


def masks(vrt: Any, bands: tuple[int, ...]) -> NDArray[Any]:
    """Return (masks, rows, cols), 0 where there is nothing.

    GDAL takes an alpha band for a mask only if it is of bytes or uint16: it is read as it is.
    """
    alpha = [i for i, kind in enumerate(vrt.colorinterp, 1) if kind is ColorInterp.alpha]
    masks: NDArray[Any] = vrt.read(alpha) if alpha else vrt.read_masks(list(bands))
    return masks


def coloured(
    vrt: Any, bands: tuple[int, ...], colours: NDArray[np.uint8]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a palette's colours, and where they are not transparent."""
    entries = vrt.read(1)
    rgba = colours[np.minimum(entries, len(colours) - 1)]
    there = (masks(vrt, (1,))[0] > 0) & (rgba[..., 3] > 0) & (entries < len(colours))
    return np.stack([rgba[..., band - 1] for band in bands]), there


def percentiles(
    dataset: Any, channel: Channel, colours: NDArray[np.uint8] | None, nodata: float | None
) -> Span:
    """Return the values at a channel's percentiles, over a reference of the whole dataset.

    Args:
        colours: uint8 (entries, 4), those of a palette, if it is one.
        nodata: what means nothing besides what the dataset says.
    """
    shrink = max(1.0, max(dataset.shape) / REFERENCE_SIDE)
    shape = tuple(max(1, round(side / shrink)) for side in dataset.shape)
    if colours is None:
        # One by one: read together and masked they must be of one dtype.
        found = np.ma.stack(
            [dataset.read(band, out_shape=shape, masked=True) for band in channel.bands]
        )
        pixels, there = found.data, ~np.ma.getmaskarray(found).any(axis=0)
    else:
        entries = dataset.read(1, out_shape=shape, masked=True)
        rgba = colours[np.minimum(entries.data, len(colours) - 1)]
        pixels = np.stack([rgba[..., band - 1] for band in channel.bands])
        there = ~np.ma.getmaskarray(entries)
    if nodata is not None:
        there = there & (pixels != nodata).all(axis=0)
    shown = values(channel, dict(zip(channel.bands, pixels, strict=True)))[there]
    shown = shown[np.isfinite(shown)]
    ends = (channel.stretch.low, channel.stretch.high)
    low, high = np.percentile(shown, ends) if shown.size else (0.0, 1.0)
    return Span(float(low), float(high))
