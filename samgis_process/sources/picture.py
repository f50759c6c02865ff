"""A source's window as the picture a rendering makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.rendering import (
    AnyRendering,
    Channel,
    Rendering,
    Span,
    TerrainRendering,
    draw,
    paint,
)
from samgis_process.sources.base import Source
from samgis_process.sources.elevation import read_relief


@runtime_checkable
class Surveyed(Protocol):
    """A source that can be seen as a whole: its `info.bands.surveyed` is true."""

    def spans(self, channels: Sequence[Channel]) -> dict[Channel, Span]:
        """Return the values at the percentiles of `channels` over the whole source."""


class Picture(NamedTuple):
    """A window as a model sees it.

    Attributes:
        image: uint8 (rows, cols, 3).
        valid: bool (rows, cols), False where the source holds nothing.
        warnings: what a reader of the answer should know of these pixels.
    """

    image: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    warnings: tuple[str, ...]


def picture(source: Source, grid: GeoBox, rendering: AnyRendering) -> Picture:
    """Return the picture of `grid`.

    Raises:
        NoData: the source holds nothing there.
        SourceUnavailable: it does not answer, or was changed meanwhile.
    """
    version = source.info.version
    if isinstance(rendering, TerrainRendering):
        drawn = _painted(source, grid, rendering)
    else:
        drawn = _drawn(source, grid, rendering)
    if source.info.version != version:
        raise SourceUnavailable(f"{source.info.id} was changed while it was read; ask again")
    return drawn


def _drawn(source: Source, grid: GeoBox, rendering: Rendering) -> Picture:
    spans: dict[Channel, Span] = {}
    if rendering.surveys:
        if not isinstance(source, Surveyed):
            raise TypeError(f"{source.info.id} offers percentiles but cannot be surveyed")
        spans = source.spans(rendering.surveys)
    raw = source.read(grid, rendering.bands)
    return Picture(draw(raw.bands, raw.valid, rendering, spans), raw.valid, raw.warnings)


def _painted(source: Source, grid: GeoBox, rendering: TerrainRendering) -> Picture:
    relief = read_relief(source, grid, rendering.halo)
    image = paint(rendering, relief.surface, relief.halo)
    return Picture(image, relief.valid, relief.warnings)
