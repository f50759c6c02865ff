"""Run the evaluation: `python -m models.evaluation`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from models.evaluation import compare, drawn, pairs, protocol, records, report, tables
from models.evaluation.configuration import Configuration
from models.evaluation.run import CLICKS, Found, Settings, paired, run

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
REFERENCE = Path(os.environ.get("SAMGIS_TEST_DATA", ROOT.parent / "shared" / "data")) / "pairs"
MODELS = Path(os.environ.get("SAMGIS_MODELS_DIR", ROOT / "models"))


def main() -> None:
    """Ask, measure, write."""
    begun = time.monotonic()
    options = _options()
    asked, origin = _pairs(options)
    print(f"Pairs: {origin}", flush=True)
    tasks = pairs.tasks(asked, options.limit)
    if not tasks:
        sys.exit("No objects in these pairs")
    settings = _settings(options)
    found: list[Found] = []
    for number, answers in enumerate(run(tasks, settings, options.workers), 1):
        found += answers
        _say(f"\r{number} of {len(tasks)} pictures")
    _say("\n")
    runs = paired(found, len(settings.configurations))
    table = protocol.table(tables.protocol_rows(runs[0]), time.monotonic() - begun)
    _write(options.out, table)
    _write(
        options.out.with_name(f"{options.out.stem}-details.json"), _tell(settings, runs, origin)
    )
    if options.records:
        records.write(options.records, tables.record_rows(runs[0]))


def _tell(settings: Settings, runs: list[list[Found]], origin: str) -> dict[str, Any]:
    """Print the tables and return them."""
    counts = compare.counts(runs[0])
    facts = [
        report.details(configuration, found) | {"objects": compare.objects(found)}
        for configuration, found in zip(settings.configurations, runs, strict=True)
    ]
    print("\n\n".join(report.markdown(fact, counts) for fact in facts))
    told: dict[str, Any] = {"pairs": origin, "objects": counts, "runs": facts}
    if len(runs) > 1:
        told["second_minus_first"] = compared = tables.compare(*runs[:2])
        print("\n" + report.comparison(compared, counts))
    return told


def _settings(options: argparse.Namespace) -> Settings:
    base = Configuration(model=options.model)
    first = Configuration.parse(options.use, base)
    against = [Configuration.parse(options.against, base)] if options.against else []
    other = Configuration.parse(options.agreement, base) if options.agreement else None
    return Settings((first, *against), MODELS, other, bool(options.records), options.clicks)


def _pairs(options: argparse.Namespace) -> tuple[list[pairs.Pair], str]:
    """Return the pairs, and words for where they come from."""
    sources = tuple(filter(None, options.sources.split(",")))
    if options.pairs:
        splits = f"split {options.split}" if options.split else "all splits"
        return pairs.load(options.pairs, options.split, sources), f"{options.pairs}, {splits}"
    if REFERENCE.is_dir():
        split = options.split or "val"
        return pairs.load(REFERENCE, split, sources), f"reference data, split {split}"
    root = drawn.write(BUILD / "drawn-pairs")
    words = f"drawn here, because there is no reference data in {REFERENCE}; not real pictures"
    return pairs.load(root), words


def _write(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.evaluation", description=__doc__)
    add = parser.add_argument
    add("--pairs", type=Path, help="directory with an index.csv; all its splits are used")
    add("--split", help="only this split")
    add("--sources", default="", help="only these, with commas")
    add("--model", default=Configuration().model, help="id, or directory of a built model")
    add("--limit", type=int, help="objects in all, drawn with a fixed seed")
    add("--clicks", type=int, default=CLICKS, help="at most; fewer leave some tables empty")
    add("--use", default="", help="rules, such as choice=largest-iou,previous=no,box_margin=none")
    add("--against", help="a second set of rules, compared pair by pair")
    add("--agreement", help="a model or rules whose masks are compared: model=DIR")
    add("--records", type=Path, help="write a row for each answer: .npz or .csv")
    add("--out", type=Path, default=BUILD / "eval-model.json")
    add("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
