"""A rendering as a value: which bands, drawn between which values, and its one canonical name.

Two renderings draw the same picture of every source exactly if they are equal, and they are equal
exactly if their keys are: `rgb`, `{"bands": [1, 2, 3]}` and `{"bands": [1.0, 2, 3], "stretch":
[[0, 255]]}` share their embeddings where they mean the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from samgis_process.rendering.bands import Span

VERSION = "bands-1"  # changes with what is drawn; part of an embedding's key


@dataclass(frozen=True, slots=True)
class Percentiles:
    """A stretch between two percentiles of the whole source, 0 to 100."""

    low: float
    high: float


MIN_MAX = Percentiles(0.0, 100.0)
DEFAULT = Percentiles(2.0, 98.0)


@dataclass(frozen=True, slots=True)
class Channel:
    """One colour of the picture.

    Attributes:
        band: the band that is drawn.
        minus: with it the normalised difference (band - minus) / (band + minus) is drawn.
        stretch: the values drawn as 0 and 255.
    """

    band: int
    minus: int | None
    stretch: Span | Percentiles

    @property
    def bands(self) -> tuple[int, ...]:
        """The bands it is made from."""
        return (self.band,) if self.minus is None else (self.band, self.minus)

    @property
    def key(self) -> str:
        """Canonical text."""
        name = "n" if isinstance(self.stretch, Span) else "p"
        what = "/".join(map(str, self.bands))
        return f"{what}{name}{_number(self.stretch.low)},{_number(self.stretch.high)}"


@dataclass(frozen=True, slots=True)
class Rendering:
    """The way from bands to an RGB picture. Make it with `of`, which brings it in canonical form.

    Attributes:
        channels: red, green and blue, or the one that is drawn in all three.
        luma: whether the picture is then made grey.
    """

    channels: tuple[Channel, ...]
    luma: bool = False

    @classmethod
    def of(cls, channels: tuple[Channel, ...], *, luma: bool = False) -> Rendering:
        """Return the rendering; three equal channels are one, and one is grey already."""
        if len(set(channels)) == 1:
            return cls(channels[:1])
        return cls(channels, luma)

    @property
    def bands(self) -> tuple[int, ...]:
        """The bands to read, each once, in ascending order."""
        return tuple(sorted({band for channel in self.channels for band in channel.bands}))

    @property
    def key(self) -> str:
        """Canonical text with a version, for the key of an embedding."""
        return ":".join((VERSION, *(channel.key for channel in self.channels), *["l"] * self.luma))

    @property
    def surveys(self) -> tuple[Channel, ...]:
        """The channels whose stretch has to be looked up in the source."""
        return tuple(c for c in self.channels if isinstance(c.stretch, Percentiles))

    def as_object(self) -> dict[str, Any]:
        """Return the object that asks for it, but for `luma`."""
        bands = [c.band if c.minus is None else {"nd": list(c.bands)} for c in self.channels]
        stretches = [channel.stretch for channel in self.channels]
        if all(isinstance(stretch, Span) for stretch in stretches):
            pairs = [_pair(stretch) for stretch in stretches]
            return {"bands": bands, "stretch": pairs}
        if len(set(stretches)) > 1:  # differences at their fixed range: what one gets unasked
            return {"bands": bands}
        whole = stretches[0] == MIN_MAX
        return {"bands": bands, "stretch": "minmax" if whole else _pair(stretches[0])}


def _number(value: float) -> str:
    return repr(float(value) + 0.0)  # -0.0 + 0.0 is 0.0


def _pair(stretch: Span | Percentiles) -> list[float]:
    ends = (stretch.low, stretch.high)
    return [int(end) if end.is_integer() and abs(end) < 2**53 else end for end in ends]
