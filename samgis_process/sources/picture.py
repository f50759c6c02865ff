"""A source's window as the picture a rendering makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.rendering import Channel, Rendering, Span, draw
from samgis_process.sources.base import RawImage, Source


@runtime_checkable
class Surveyed(Protocol):
    """A source that can be seen as a whole: its `info.bands.surveyed` is true."""

    def spans(self, channels: Sequence[Channel]) -> dict[Channel, Span]:
        """Return the values at the percentiles of `channels` over the whole source."""


class Picture(NamedTuple):
    """An image, uint8 (rows, cols, 3), and the raw pixels it was drawn from."""

    image: NDArray[np.uint8]
    raw: RawImage


def picture(source: Source, grid: GeoBox, rendering: Rendering) -> Picture:
    """Return the picture of `grid`.

    Raises:
        NoData: the source holds nothing there.
        SourceUnavailable: it does not answer, or was changed meanwhile.
    """
    version = source.info.version
    spans: dict[Channel, Span] = {}
    if rendering.surveys:
        if not isinstance(source, Surveyed):
            raise TypeError(f"{source.info.id} offers percentiles but cannot be surveyed")
        spans = source.spans(rendering.surveys)
    raw = source.read(grid, rendering.bands)
    if source.info.version != version:
        raise SourceUnavailable(f"{source.info.id} was changed while it was read; ask again")
    return Picture(draw(raw.bands, raw.valid, rendering, spans), raw)
