"""A window of elevation and the landforms in it whose outlines are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Labels = NDArray[np.int32]

HALO = 136  # cells of known ground around a window: the widest neighbourhood and its slopes


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One window.

    Attributes:
        name: its own.
        origin: "drawn" or "real".
        elevation: metres, float32 (rows + 2 HALO, cols + 2 HALO), NaN where unknown.
        cell_m: side of a cell on the ground; cells are square.
        labels: int32 (rows, cols), 0 or the number of the landform.
        kinds: what landform 1, 2, ... is.
        asked: the numbers of those that are asked for.
    """

    name: str
    origin: str
    elevation: Floats
    cell_m: float
    labels: Labels
    kinds: tuple[str, ...]
    asked: tuple[int, ...]

    @property
    def window(self) -> Floats:
        """The elevation without its halo."""
        return self.elevation[HALO:-HALO, HALO:-HALO]
