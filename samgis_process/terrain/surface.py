"""Elevation together with the size of its cells on the ground, row by row."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from samgis_process.grid import GeoBox

Metres = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A window of elevation; rows run south, columns east.

    Attributes:
        elevation: metres, float32 (rows, cols), NaN where it is not known.
        dx: metres on the ground from a cell to its neighbour in the row, float32 (rows,).
        dy: metres on the ground from one row to the next, float32 (rows,).
        origin: (row, col) of its first cell on a grid that windows share: what is worked out on
            coarser cells is the same for all of them.
    """

    elevation: Metres
    dx: Metres
    dy: Metres
    origin: tuple[int, int] = (0, 0)

    @classmethod
    def on_mercator(cls, elevation: Metres, grid: GeoBox) -> Surface:
        """Return a surface on a grid of the same shape.

        Web Mercator stretches both directions by 1 / cos(latitude), on its sphere, which is
        1 / cosh(pi (1 - 2 row / world)) at a row of the world. On the ellipsoid distances differ
        by up to 0.7 %, a slope of 45 degrees by 0.2.
        """
        ground = _mercator_metres(grid)
        return cls(elevation, ground, ground, (grid.row_off, grid.col_off))

    @property
    def resolution(self) -> float:
        """The shortest distance between neighbours, metres."""
        return float(min(self.dx.min(), self.dy.min()))

    def rows(self, start: int, stop: int) -> Surface:
        """Return some of the rows, whole."""
        some, (row, col) = slice(start, stop), self.origin
        return Surface(self.elevation[some], self.dx[some], self.dy[some], (row + start, col))

    def trimmed(self, margin: int) -> Surface:
        """Return the surface without `margin` cells on every side."""
        if margin == 0:
            return self
        inner, (row, col) = slice(margin, -margin), self.origin
        return Surface(
            self.elevation[inner, inner],
            self.dx[inner],
            self.dy[inner],
            (row + margin, col + margin),
        )

    def of(self, elevation: Metres) -> Surface:
        """Return other elevation on the same grid."""
        return replace(self, elevation=elevation)


def _mercator_metres(grid: GeoBox) -> Metres:
    # One by one: a vectorised cosh may round otherwise in a longer array, and a row's cells must
    # be of one size in every window.
    turn = 2 * math.pi / grid.world_size
    middle = grid.world_size / 2 - grid.row_off - 0.5
    sizes = [grid.resolution / math.cosh(turn * (middle - row)) for row in range(grid.height)]
    return np.array(sizes, np.float32)
