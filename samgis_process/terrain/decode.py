"""Elevation out of the colours of map tiles.

Sources: the format pages of Terrain Tiles (terrarium) and of Mapbox Terrain-RGB.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Encoding = Literal["terrarium", "terrain-rgb"]


def decode(rgb: NDArray[np.uint8], encoding: Encoding) -> NDArray[np.float32]:
    """Return metres, float32 (rows, cols), of colours, uint8 (rows, cols, 3).

    terrarium: red * 256 + green + blue / 256 - 32768, exact in float32.
    terrain-rgb: -10000 + 0.1 * (red * 65536 + green * 256 + blue).
    """
    red, green, blue = (rgb[..., i].astype(np.float64) for i in range(3))
    if encoding == "terrarium":
        metres = red * 256 + green + blue / 256 - 32768
    else:
        metres = -10000 + 0.1 * (red * 65536 + green * 256 + blue)
    return metres.astype(np.float32)
