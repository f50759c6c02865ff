"""What a file and its description say alike about a band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the valid cells; None where there are none.

    Attributes:
        valid_percent: share of cells that mean something, 0 to 100.
    """

    valid_percent: float
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    stddev: float | None = None

    def as_object(self) -> dict[str, float]:
        """Return the statistics of a STAC band: what is unknown is left out, never NaN."""
        values = {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "mean": self.mean,
            "stddev": self.stddev,
            "valid_percent": self.valid_percent,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class BandFacts:
    """A band for people and programs.

    Attributes:
        unit: as in `m`, `degree`, `1/m`; empty for a number without one.
    """

    name: str
    description: str
    unit: str
    statistics: Statistics


def statistics_of(values: NDArray[np.generic], valid: NDArray[np.bool_]) -> Statistics:
    """Return the statistics of the cells of `values` where `valid`, both (rows, cols)."""
    known = values[valid].astype(np.float64)
    percent = _tidy(100.0 * known.size / valid.size)
    if not known.size:
        return Statistics(percent)
    low, high, mean = known.min(), known.max(), known.mean()
    known -= mean
    spread = np.sqrt(known @ known / known.size)
    return Statistics(percent, *(_tidy(float(number)) for number in (low, high, mean, spread)))


def _tidy(value: float) -> float:
    """Return the number with the digits that tell one float32 from the next."""
    return float(f"{value:.9g}") + 0.0  # -0.0 + 0.0 is 0.0
