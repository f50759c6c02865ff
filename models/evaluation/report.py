"""The tables, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from models.evaluation import tables
from models.evaluation.configuration import Configuration
from models.evaluation.intervals import Interval
from models.evaluation.run import Found

GROUPS = {
    "IoU": ("c1", "c3", "c5", "c10", "box"),
    "Clicks": ("clicks_to_0.85", "failing_at_10", "lost_in_5", "lost_in_10"),
    "Borders and scores": (
        "boundary_c1",
        "boundary_box",
        "score_error_c1",
        "score_error_box",
    ),
}


def details(configuration: Configuration, found: Sequence[Found]) -> dict[str, Any]:
    """Return everything that was measured under one configuration."""
    return {
        "configuration": str(configuration),
        "rules": asdict(configuration),
        "measures": tables.measured(found),
        "scores": tables.scores(found),
        "agreement": tables.agreement(found),
        "costs": tables.costs(found),
    }


def markdown(facts: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """Return the tables of one configuration."""
    parts = [f"## {facts['configuration']}"]
    parts += [measures(title, facts["measures"], counts) for title in GROUPS]
    parts.append(_scores(facts["scores"]))
    if facts["agreement"]:
        parts.append(_agreement(facts["agreement"]))
    parts.append(_costs(facts["costs"]))
    return "\n\n".join(parts)


def measures(
    title: str,
    measured: Mapping[str, Mapping[str, Interval]],
    counts: Mapping[str, int],
    *,
    signed: bool = False,
) -> str:
    """Return one group of measures, a source a row, means with 95 % intervals."""
    names = GROUPS[title]
    rows = [
        [source, str(count), *(cell(measured[n].get(source), signed=signed) for n in names)]
        for source, count in counts.items()
    ]
    return f"{title}, mean [95 % interval]\n\n" + layout(["source", "objects", *names], rows)


def comparison(compared: Mapping[str, Mapping[str, Interval]], counts: Mapping[str, int]) -> str:
    """Return the tables of paired differences."""
    parts = [measures(title, compared, counts, signed=True) for title in GROUPS]
    return "\n\n".join(["## Second minus first, paired", *parts])


def cell(interval: Interval | None, *, signed: bool = False) -> str:
    """Return "mean [low, high]", nothing where nothing was measured."""
    if interval is None:
        return ""
    form = "+.3f" if signed else ".3f"
    mean, low, high = (format(value, form) for value in interval)
    return f"{mean} [{low}, {high}]"


def _scores(scores: Mapping[str, Any]) -> str:
    rows = [
        [kind, str(s["count"]), *(f"{s[key]:.3f}" for key in ("error", "bias", "spearman"))]
        for kind, s in scores.items()
    ]
    parts = [
        "Score against IoU\n\n"
        + layout(["prompt", "answers", "mean |score - IoU|", "score - IoU", "Spearman"], rows)
    ]
    for kind, s in scores.items():
        rows = [
            [f"{low:.1f} to {high:.1f}", str(count), f"{score:.3f}", f"{iou:.3f}"]
            for low, high, count, score, iou in s["bins"]
        ]
        parts.append(
            f"Reliability, {kind}\n\n" + layout(["score", "n", "mean score", "IoU"], rows)
        )
    return "\n\n".join(parts)


def _agreement(table: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(table.values())))
    rows = [[kind, *(f"{row[name]:.4f}" for name in names)] for kind, row in table.items()]
    return "Agreement with the second model, IoU of masks\n\n" + layout(["prompt", *names], rows)


def _costs(costs: Mapping[str, float]) -> str:
    times = ", ".join(
        f"{name} {costs[f'{name}_s'] * 1000:.1f} ms" for name in ("encode", "decode", "outline")
    )
    return (
        f"CPU time, one thread: {times}; vertices: mean {costs['vertices']:.1f}, "
        f"median {costs['vertices_median']:.0f}"
    )


def layout(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
