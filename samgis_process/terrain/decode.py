"""Elevation out of the colours of map tiles.

Sources: the format pages of Terrain Tiles (terrarium) and of Mapbox Terrain-RGB.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Encoding = Literal["terrarium", "terrain-rgb"]

# Metres between which ground lies: below the Challenger Deep, above Mount Everest. Black, an empty
# tile's colour, is -32768 in terrarium and -10000 in terrain-rgb, which holds no deep sea.
LOWEST, HIGHEST = -11_500.0, 9_500.0
EMPTY = -10_000.0


def decode(rgb: NDArray[np.uint8], encoding: Encoding) -> NDArray[np.float32]:
    """Return metres, float32 (rows, cols), of colours, uint8 (rows, cols, 3).

    terrarium: red * 256 + green + blue / 256 - 32768, exact in float32.
    terrain-rgb: -10000 + 0.1 * (red * 65536 + green * 256 + blue).
    """
    if encoding == "terrarium":
        red, green, blue = (rgb[..., i].astype(np.float32) for i in range(3))
        return red * 256 + green + blue * np.float32(1 / 256) - 32768
    high, middle, low = (rgb[..., i].astype(np.float64) for i in range(3))
    return (-10000 + 0.1 * (high * 65536 + middle * 256 + low)).astype(np.float32)


def plausible(
    elevation: NDArray[np.float32], encoding: Encoding | None = None
) -> NDArray[np.bool_]:
    """Return where elevation, metres, can be true; what is not is no data."""
    there: NDArray[np.bool_] = (elevation >= LOWEST) & (elevation <= HIGHEST)
    return there & (elevation != EMPTY) if encoding == "terrain-rgb" else there
