"""What every source offers: raw bands in a GeoBox, and what a user should know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from samgis_process.grid import Bounds, GeoBox
from samgis_process.rendering import RGB_TILES, Bands

WORLD = Bounds(-180.0, -85.0511287798066, 180.0, 85.0511287798066)


ABSENT = "do not exist there"  # how a warning of missing tiles ends


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A source as users see it.

    Attributes:
        version: changes whenever the pixels may have changed; part of an embedding's key.
        zooms: (lowest, highest) zoom that may be asked for.
        native_zoom: highest zoom that still shows more than the one before it.
        tile_size: pixels along the side of a tile: what a zoom means.
        bounds: where there may be data.
        crs: the source's own coordinate reference system, as `EPSG:...`, if it is not 3857.
        bands: what a rendering can be made from.
        rendering: what a request gets that asks for none, as one would ask for it.
        bulk: whether its terms allow to read whole regions.
    """

    id: str
    title: str
    version: str
    zooms: tuple[int, int]
    native_zoom: int
    attribution: str = ""
    terms: str = ""
    aliases: tuple[str, ...] = ()
    tile_size: int = 256
    bounds: Bounds = WORLD
    crs: str | None = None
    bands: Bands = RGB_TILES
    rendering: str | Mapping[str, Any] | None = None
    bulk: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RawImage:
    """Pixels as the source has them.

    Attributes:
        bands: (bands, rows, cols), the red, green and blue ones first where the source knows.
        valid: bool (rows, cols), False where the source holds nothing.
        warnings: what a reader of the answer should know of these pixels.
    """

    bands: NDArray[Any]
    valid: NDArray[np.bool_]
    warnings: tuple[str, ...] = ()


class Source(Protocol):
    """A named origin of pixels. Safe for many threads."""

    @property
    def info(self) -> SourceInfo:
        """What users see of it."""

    def read(
        self, grid: GeoBox, bands: tuple[int, ...] | None = None, *, heights: bool = False
    ) -> RawImage:
        """Return the pixels of `grid`; its zoom lies within the source's.

        Args:
            heights: the first band is wanted as elevation, in which a plane stays a plane; what
                cannot be ground is no data.
            bands: which of `info.bands`, from 1, in that order; None for the plain picture.

        Raises:
            NoData: the source holds nothing there.
            SourceUnavailable: it does not answer, or answers nonsense.
        """
