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
from samgis_process.sources.base import RawImage, Source
from samgis_process.sources.elevation import read_relief

DARK = 15  # the brightest level of a picture in which hardly anything is seen


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
    image = draw(raw.bands, raw.valid, rendering, spans)
    dark = () if rendering.surveys else _darkness(image, raw, rendering)
    return Picture(image, raw.valid, (*raw.warnings, *dark))


def _darkness(image: NDArray[np.uint8], raw: RawImage, rendering: Rendering) -> tuple[str, ...]:
    """Return a hint where there may be more in a picture than anybody can see."""
    if int(image.max(initial=0, where=raw.valid[..., None])) > DARK:
        return ()
    known = raw.bands[:, raw.valid]
    low, high = known.min(), known.max()
    if low == high:
        return ()
    bands = [channel.band for channel in rendering.channels]
    shown = f'{{"bands": {bands}, "stretch": [[{low:g}, {high:g}]]}}'
    words = f"the picture is nearly black: its values lie between {low:g} and {high:g}"
    return (f'{words}; the `rendering` {shown} shows them, or a `stretch` of "minmax"',)


def _painted(source: Source, grid: GeoBox, rendering: TerrainRendering) -> Picture:
    relief = read_relief(source, grid, rendering.halo)
    image = paint(rendering, relief.surface, relief.halo)
    return Picture(image, relief.valid, relief.warnings)
