"""Means per source and overall, with bootstrap intervals.

Objects are drawn again with replacement within each source, so that every drawn set has the
sources in their real proportions. Source: Efron and Tibshirani 1993, percentile intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 2000
LEVEL = 95.0  # per cent
SEED = 11


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


def intervals(values: Sequence[float], sources: Sequence[str]) -> dict[str, Interval]:
    """Return the mean of objects' `values` for each source, `all` and `mean_of_sources`.

    Values that are not numbers are left out. The difference of two runs over the same objects
    goes in as their difference per object: then the intervals are paired.
    """
    numbers, names = np.array(values, np.float64), np.array(sources)
    kept = ~np.isnan(numbers)
    numbers, names = numbers[kept], names[kept]
    groups = {str(name): numbers[names == name] for name in np.unique(names)}
    random = np.random.default_rng(SEED)
    drawn = {name: _resampled(group, random) for name, group in groups.items()}
    found = {name: _interval(group.mean(), drawn[name]) for name, group in groups.items()}
    if groups:
        weights = np.array([len(group) for group in groups.values()]) / len(numbers)
        together = np.stack(list(drawn.values()))
        found["all"] = _interval(numbers.mean(), weights @ together)
        means = [interval.mean for interval in found.values()][: len(groups)]
        found["mean_of_sources"] = _interval(np.mean(means), together.mean(axis=0))
    return found


def _resampled(values: Floats, random: np.random.Generator) -> Floats:
    """Return the means of RESAMPLES sets drawn from `values`."""
    drawn = random.integers(len(values), size=(RESAMPLES, len(values)))
    return np.asarray(values[drawn].mean(axis=1))


def _interval(mean: np.floating | float, means: Floats) -> Interval:
    outside = (100.0 - LEVEL) / 2
    low, high = np.percentile(means, [outside, 100.0 - outside])
    return Interval(float(mean), float(low), float(high))
