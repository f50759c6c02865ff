"""Means, paired differences and their intervals, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.evaluation.intervals import LEVEL, RESAMPLES, SEED, Interval
from models.evaluation.landforms.rows import MEASURES, Row
from models.evaluation.report import cell, layout

Key = tuple[str, int]
BASES = ("relief", "samgis")  # what the others are compared with
ORIGINS = ("drawn", "real")


def clustered(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Return the mean of `values` and its bootstrap interval, whole clusters drawn at a time.

    Landforms of one window share its ground, its light and its scale, so they are no independent
    witnesses. Source: Cameron et al. 2008, doi:10.1162/rest.90.3.414, the pairs cluster bootstrap.
    """
    numbers, names = np.asarray(values, np.float64), np.asarray(clusters)
    groups = [numbers[names == name] for name in dict.fromkeys(clusters)]
    sums = np.array([group.sum() for group in groups])
    counts = np.array([len(group) for group in groups])
    random = np.random.default_rng(SEED)
    drawn = random.integers(len(groups), size=(RESAMPLES, len(groups)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    outside = (100.0 - LEVEL) / 2
    low, high = np.percentile(means, [outside, 100.0 - outside])
    return Interval(float(numbers.mean()), float(low), float(high))


def difference(rows: Sequence[Row], name: str, base: str, measure: str) -> Interval | None:
    """Return how much better `name` is than `base` on the same landforms; None: not measured."""
    first, second = _by_object(rows, base), _by_object(rows, name)
    keys = sorted(first.keys() & second.keys())
    if not keys or name == base:
        return None
    gains = [second[key][measure] - first[key][measure] for key in keys]
    return clustered(gains, [scene for scene, _ in keys])


def table(rows: Sequence[Row]) -> dict[str, Any]:
    """Return everything measured: by origin, by rendering, means, differences and kinds."""
    return {
        origin: {
            name: {
                "means": {m: _mean(rows, origin, name, m) for m in MEASURES},
                "kinds": _kinds(_of(rows, origin, name)),
                **{f"minus {base}": _differences(rows, origin, name, base) for base in BASES},
            }
            for name in dict.fromkeys(row.rendering for row in rows)
        }
        for origin in ORIGINS
        if any(row.origin == origin for row in rows)
    }


def held_out(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of every second window: those on which nothing was chosen.

    The radius, the ramp and the shade of the server's renderings were tried on the others.
    """
    windows = list(dict.fromkeys((row.origin, row.scene) for row in rows))
    kept = set(windows[1::2])
    return [row for row in rows if (row.origin, row.scene) in kept]


def markdown(rows: Sequence[Row]) -> str:
    """Return the tables of every origin, then those of the windows on which nothing was chosen."""
    return "\n\n".join(
        [
            tables(rows),
            "# Windows on which nothing was chosen",
            tables(held_out(rows)),
        ]
    )


def tables(rows: Sequence[Row]) -> str:
    """Return the tables of every origin."""
    parts = []
    for origin, found in table(rows).items():
        here = [row for row in rows if row.origin == origin]
        windows = len({row.scene for row in here})
        objects = len({(row.scene, row.object_id) for row in here})
        parts.append(f"## {origin.title()}: {objects} landforms in {windows} windows")
        parts.append(_means_table(found))
        parts += [_difference_table(found, base) for base in BASES]
        parts.append(_kinds_table(found))
    return "\n\n".join(parts)


def _means_table(found: Mapping[str, Any]) -> str:
    rows = [[name, *(cell(one["means"][m]) for m in MEASURES)] for name, one in found.items()]
    return layout(["rendering", *MEASURES], rows)


def _difference_table(found: Mapping[str, Any], base: str) -> str:
    rows = [
        [name, *(cell(one[f"minus {base}"][m], signed=True) for m in MEASURES)]
        for name, one in found.items()
        if name != base
    ]
    return f"Minus {base}, paired\n\n" + layout(["rendering", *MEASURES], rows)


def _kinds_table(found: Mapping[str, Any]) -> str:
    """Return three clicks and box by kind, a rendering a column."""
    kinds = dict.fromkeys(kind for one in found.values() for kind in one["kinds"])
    rows = [
        [kind, str(next(iter(found.values()))["kinds"][kind]["landforms"])]
        + [
            f"{one['kinds'][kind]['c3']:.2f} / {one['kinds'][kind]['box']:.2f}"
            for one in found.values()
        ]
        for kind in kinds
    ]
    return "Three clicks / box\n\n" + layout(["kind", "landforms", *found], rows)


def _of(rows: Sequence[Row], origin: str, name: str) -> list[Row]:
    return [row for row in rows if (row.origin, row.rendering) == (origin, name)]


def _mean(rows: Sequence[Row], origin: str, name: str, measure: str) -> Interval:
    here = _of(rows, origin, name)
    return clustered([row[measure] for row in here], [row.scene for row in here])


def _differences(
    rows: Sequence[Row], origin: str, name: str, base: str
) -> dict[str, Interval | None]:
    here = [row for row in rows if row.origin == origin]
    return {measure: difference(here, name, base, measure) for measure in MEASURES}


def _kinds(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    kinds = dict.fromkeys(row.kind for row in rows)
    groups = {kind: [row for row in rows if row.kind == kind] for kind in kinds}
    return {
        kind: {"landforms": len(group)}
        | {m: float(np.mean([row[m] for row in group])) for m in MEASURES}
        for kind, group in groups.items()
    }


def _by_object(rows: Sequence[Row], name: str) -> dict[Key, Row]:
    return {(row.scene, row.object_id): row for row in rows if row.rendering == name}
