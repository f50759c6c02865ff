"""Elevation of a window and of some cells around it, so that no edge has to be invented."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import NoData
from samgis_process.grid import GeoBox
from samgis_process.sources.base import ABSENT, RawImage, Source, SourceInfo
from samgis_process.terrain import Surface, plausible


class Relief(NamedTuple):
    """Elevation of a window.

    Attributes:
        surface: with `halo` cells on every side, NaN where nothing is known.
        valid: bool (rows, cols) of the window alone.
        warnings: what a reader of the answer should know of these heights.
    """

    surface: Surface
    halo: int
    valid: NDArray[np.bool_]
    warnings: tuple[str, ...]


def read_relief(source: Source, grid: GeoBox, halo: int) -> Relief:
    """Return the elevation of `grid` and `halo` cells around it.

    Raises:
        NoData: the source holds no elevation in the window itself.
        SourceUnavailable: it does not answer, or answers nonsense.
    """
    info = source.info
    around = grid.padded(halo)
    raw = source.read(around, (1,), heights=True)
    metres = _metres(raw, info.bands.metres or 1.0)
    wide = replace(
        grid,
        col_off=grid.col_off - halo,
        row_off=grid.row_off - halo,
        width=grid.width + 2 * halo,
        height=grid.height + 2 * halo,
    )
    elevation = _placed(metres, around, wide)
    window = elevation[halo : halo + grid.height, halo : halo + grid.width]
    valid = np.isfinite(window)
    if not valid.any():
        raise _nothing(info)
    # What is missing around the window is the window's edge, and no news.
    complete = bool(valid.all())
    warnings = tuple(w for w in raw.warnings if not (complete and w.endswith(ABSENT)))
    return Relief(Surface.on_mercator(elevation, wide), halo, valid, warnings)


def _metres(raw: RawImage, unit: float) -> NDArray[np.float32]:
    values = raw.bands[0].astype(np.float32)
    if unit != 1:
        values = values * np.float32(unit)
    known = raw.valid & plausible(values)
    return np.where(known, values, np.float32(np.nan))


def _placed(metres: NDArray[np.float32], around: GeoBox, wide: GeoBox) -> NDArray[np.float32]:
    """Return what was read, at its place in a window that may reach beyond the world's end."""
    if metres.shape == wide.shape:
        return metres
    elevation = np.full(wide.shape, np.nan, np.float32)
    top = around.row_off - wide.row_off
    left = (around.col_off - wide.col_off) % around.world_size
    elevation[top : top + around.height, left : left + around.width] = metres
    return elevation


def _nothing(info: SourceInfo) -> NoData:
    return NoData(
        "bbox",
        f"{info.id} has no elevation there",
        limit="the source's bounds: {:.5f}, {:.5f}, {:.5f}, {:.5f}".format(*info.bounds),
        remedy="choose another window",
    )
