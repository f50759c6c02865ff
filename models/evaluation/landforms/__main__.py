"""Run the evaluation: `python -m models.evaluation.landforms`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from models.evaluation.__main__ import BUILD, MODELS, REFERENCE
from models.evaluation.configuration import Configuration
from models.evaluation.landforms import drawn, real, report
from models.evaluation.landforms.renderings import RENDERINGS
from models.evaluation.landforms.rows import Row
from models.evaluation.landforms.run import run
from models.evaluation.landforms.scene import Scene
from models.evaluation.landforms.sheet import sheet
from models.evaluation.predict import Predictor

DEM = REFERENCE.parent / "dem"
EVERY = 4  # one window in so many is on the sheet
QUALITY = 60  # of the sheets, JPEG


def main() -> None:
    """Ask, measure, write; or draw."""
    options = _options()
    names = options.renderings.split("|")
    predict = Predictor(Configuration(model=options.model), MODELS)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.sheet:
        _draw(options, names, predict)
        return
    rows = _earlier(options.earlier, names)
    for number, answers in enumerate(run(scenes(options), names, predict), 1):
        rows += answers
        print(f"\r{number} windows", end="", file=sys.stderr, flush=True)
    rows.sort(key=lambda row: list(RENDERINGS).index(row.rendering))
    print(report.markdown(rows))
    document = {"tables": report.table(rows), "landforms": [asdict(row) for row in rows]}
    options.out.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _draw(options: argparse.Namespace, names: list[str], predict: Predictor) -> None:
    """Write a contact sheet of the drawn landforms, and one of the real ones."""
    for origin in report.ORIGINS:
        shown = [one for one in scenes(options) if one.origin == origin][::EVERY]
        if shown:
            page = sheet(shown, names, predict)
            page.save(options.out.with_name(f"landforms-{origin}.jpg"), quality=QUALITY)


def scenes(options: argparse.Namespace) -> Iterator[Scene]:
    """Yield the drawn windows, then the real ones if their elevation models are there."""
    if "drawn" in options.origins:
        yield from drawn.scenes(drawn.PLANS[: options.limit])
    if "real" not in options.origins:
        return
    if options.dem.is_dir():
        yield from real.scenes(options.dem, real.SOURCES[: options.limit])
    else:
        print(f"No elevation models in {options.dem}: drawn landforms only", file=sys.stderr)


def _earlier(path: Path | None, names: list[str]) -> list[Row]:
    """Return what an earlier run found of other renderings."""
    if path is None:
        return []
    rows = [Row(**row) for row in json.loads(path.read_text("utf-8"))["landforms"]]
    return [row for row in rows if row.rendering in RENDERINGS and row.rendering not in names]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluation.landforms", description=__doc__
    )
    add = parser.add_argument
    add("--dem", type=Path, default=DEM, help="directory of the elevation models")
    add("--origins", default="drawn,real", help="drawn, real or both")
    add("--renderings", default="|".join(RENDERINGS), help="some of them, with | between")
    add("--model", default=Configuration().model, help="id, or directory of a built model")
    add("--limit", type=int, help="drawn windows, and elevation models")
    add("--earlier", type=Path, help="an earlier run's file: its other renderings are kept")
    add("--sheet", action="store_true", help="draw contact sheets instead")
    add("--out", type=Path, default=BUILD / "landforms.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
