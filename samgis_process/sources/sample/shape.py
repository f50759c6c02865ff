"""A shape of the sample scene, and the frame it lies in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shapely.geometry import Polygon

SIDE = 2048  # px, the scene is square
SEED = 20_250_301
Kind = Literal[
    "volcano", "field", "wood", "yard", "river", "lake", "island", "reed", "road", "roof"
]


@dataclass(frozen=True, slots=True)
class Shape:
    """One object of the scene.

    Attributes:
        outline: scene pixels; may reach beyond the scene and below later shapes.
        style: what `kind` alone does not tell its painter: a crop, a roof's make.
        angle_deg: heading of rows or ridge, clockwise from east on the picture.
    """

    kind: Kind
    name: str
    outline: Polygon
    style: str = ""
    angle_deg: float = 0.0
