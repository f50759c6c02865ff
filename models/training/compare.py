"""Compare the records of two decoders, object by object.

    python -m models.training.compare BEFORE.jsonl AFTER.jsonl

Intervals are 95 % of a paired bootstrap that draws whole pictures, because objects of one
picture succeed and fail together.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats

TRAINED = ("landsat_ucayali", "naip_potholes", "oam_banepa")
DRAWS = 2000
FIELDS = {
    "click": lambda r: r["masks"][0],
    "click, guard": lambda r: r["masks"][r["guard"]],
    "click, best of four": lambda r: max(r["masks"]),
    "3 clicks": lambda r: r["c3"],
    "5 clicks": lambda r: r["c5"],
    "box": lambda r: r["box"],
}


def read(path: Path) -> dict[tuple, dict]:
    """Return the records by picture and object."""
    lines = (json.loads(line) for line in path.read_text().splitlines())
    return {(line["source"], line["name"], line["object"]): line for line in lines}


def groups(keys: list[tuple]) -> dict[str, np.ndarray]:
    """Return which records count in each row of the table."""
    sources = np.array([key[0] for key in keys])
    rows = {source: sources == source for source in sorted(set(sources))}
    if len(rows) > 1:
        rows["never trained on"] = ~np.isin(sources, TRAINED)
    return rows | {"all": np.ones(len(keys), bool)}


def interval(difference: np.ndarray, pictures: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of a mean difference, drawing whole pictures."""
    names, place = np.unique(pictures, return_inverse=True)
    sums, counts = np.bincount(place, difference), np.bincount(place)
    drawn = np.random.default_rng(0).integers(len(names), size=(DRAWS, len(names)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def table(before: list[dict], after: list[dict], keys: list[tuple]) -> list[str]:
    """Return the rows of the table: mean before > after, and the interval of the difference."""
    lines = ["| source | objects | " + " | ".join(FIELDS) + " |", "|---" * (2 + len(FIELDS)) + "|"]
    pictures = np.array(["/".join(key[:2]) for key in keys])
    values = {
        f: tuple(np.array([get(r) for r in rs]) for rs in (before, after))
        for f, get in FIELDS.items()
    }
    for name, rows in groups(keys).items():
        cells = [name, str(rows.sum())]
        for one, two in values.values():
            low, high = interval((two - one)[rows], pictures[rows])
            cells.append(
                f"{one[rows].mean():.3f} > {two[rows].mean():.3f} ({low:+.3f} {high:+.3f})"
            )
        lines.append("| " + " | ".join(cells) + " |")
    sources = [groups(keys)[name] for name in sorted({key[0] for key in keys})]
    means = [
        [np.mean([each[rows].mean() for rows in sources]) for each in pair]
        for pair in values.values()
    ]
    cells = [f"{one:.3f} > {two:.3f}" for one, two in means]
    return [*lines, "| " + " | ".join(["mean of sources", "", *cells]) + " |"]


def honesty(records: list[dict], index: str) -> str:
    """Return how predicted IoU after one click agrees with the truth."""
    at = [r["guard"] if index == "guard" else 0 for r in records]
    said = np.array([min(1, max(0, r["predicted"][i])) for r, i in zip(records, at, strict=True)])
    true = np.array([r["masks"][i] for r, i in zip(records, at, strict=True)])
    rank = stats.spearmanr(said, true).statistic
    error = np.abs(said - true).mean()
    return f"says {said.mean():.3f}, is {true.mean():.3f}, off by {error:.3f}, Spearman {rank:.3f}"


def main() -> None:
    """Print the table and the honesty of both."""
    one, two = (read(Path(path)) for path in sys.argv[1:3])
    keys = sorted(one.keys() & two.keys())
    before, after = ([records[key] for key in keys] for records in (one, two))
    out = [*table(before, after, keys), ""]
    for name, records in (("before", before), ("after", after)):
        out += [f"{name}, {index}: {honesty(records, index)}" for index in ("index 0", "guard")]
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
