"""What a rendering has to know of the bands it is made from; bands count from 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

BYTE = (0.0, 255.0)


class Span(NamedTuple):
    """The values that are drawn as black (0) and as full (255)."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bands:
    """The bands of a source.

    Attributes:
        spans: of each band the values drawn as 0 and 255 where no stretch is asked for; None
            where those are percentiles of the whole source.
        natural: the bands of the plain picture: red, green and blue, or one for grey.
        nir: the near infrared, if the source has or names it.
        surveyed: whether percentiles of the whole source can be had.
        metres: of one unit of the first band, where that is elevation; None where it is not.
    """

    spans: tuple[Span | None, ...] = (Span(*BYTE),) * 3
    natural: tuple[int, ...] = (1, 2, 3)
    nir: int | None = None
    surveyed: bool = False
    metres: float | None = None

    @property
    def count(self) -> int:
        """How many bands there are."""
        return len(self.spans)


RGB_TILES = Bands()
