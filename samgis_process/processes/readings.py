"""What was made of an object's prompts, before it becomes a feature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

from samgis_process.grid import GeoBox
from samgis_process.inference.frame import GRID
from samgis_process.inference.masks import Mask
from samgis_process.vector import orthogonalized


class Reading(NamedTuple):
    """One reading of an object.

    Attributes:
        number: of the object in the request.
        alternative: 0 for the answer, then the others in their order.
        outline: shaped, in pixels of the request's window.
    """

    number: int
    alternative: int
    mask: Mask
    outline: BaseGeometry


def squared(readings: Sequence[Reading], grid: GeoBox) -> list[Reading]:
    """Return readings with right angles; the answers are redrawn together, as neighbours are."""
    answers = [reading for reading in readings if not reading.alternative]
    others = [[reading] for reading in readings if reading.alternative]
    redrawn = [reading for group in (answers, *others) for reading in _redrawn(group, grid)]
    return sorted(redrawn, key=lambda reading: reading[:2])


def _redrawn(readings: Sequence[Reading], grid: GeoBox) -> Iterator[Reading]:
    outlines = [reading.outline for reading in readings]
    cell = max(grid.shape) / GRID
    for reading, outline in zip(readings, orthogonalized(outlines, cell), strict=True):
        # A corner that was cut at the window's edge may come to lie beyond it.
        inside = shapely.clip_by_rect(outline, 0, 0, grid.width, grid.height)
        yield reading._replace(outline=inside)
