"""`samgis-process composite`: a composite and layers of the terrain, as files."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import click

from samgis_process.cli.progress import Progress
from samgis_process.errors import InvalidInput, NoRoom
from samgis_process.processes.dem_composite import ITEM, Composition
from samgis_process.processes.dem_composite_request import RENDERING
from samgis_process.rendering import TERRAIN
from samgis_process.server import wiring
from samgis_process.settings import load as load_settings
from samgis_process.terrain import LAYERS

METRES = re.compile(r"([0-9.]+)\s*m(?:etres)?")
ENDINGS = (".tif", ".tiff", ".png")


@click.command()
@click.option(
    "--bbox",
    type=float,
    nargs=4,
    required=True,
    metavar="W S E N",
    help="The window, in degrees: west, south, east, north.",
)
@click.option("--zoom", type=int, help="Tile zoom; by default some 1024 cells along a side.")
@click.option("--source", help="Id of a source of elevation; by default the first.")
@click.option(
    "--rendering",
    default=RENDERING,
    show_default=True,
    help=f"How elevation becomes colours: {', '.join(TERRAIN)}.",
)
@click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="NAME",
    help=f"A further file; may be repeated: {', '.join(LAYERS)}.",
)
@click.option("--radius", metavar="CELLS|METRESm", help="As in 16 or 500m.")
@click.option("--sun", type=float, nargs=2, metavar="AZ ALT", help="Degrees; 315 45 by default.")
@click.option("--smooth", type=float, metavar="M", help="Metres of smoothing before the layers.")
@click.option("--z-factor", type=float, metavar="F", help="By which heights are multiplied.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A directory for a STAC item and all files; or one .tif or .png.",
)
@click.pass_context
def composite(ctx: click.Context, /, out: Path, **options: Any) -> None:
    """Draw elevation as an RGB composite, with layers such as slope and openness.

    DIR gets item.json, a STAC item that names the files beside it.
    """
    process = wiring.dem_composite(load_settings(ctx.obj.resolve()))
    progress = Progress()
    alone = out.suffix.lower() in ENDINGS
    if alone and options["layers"]:
        remedy = "name a directory as --out, or leave the layers out"
        raise InvalidInput("layers", "come as files of their own", remedy=remedy)
    work = process.begin(
        _inputs(options), lambda part, words: progress(words, part), layers=not alone
    )
    try:
        _write_one(work, out) if alone else _write_all(work, out)
    except OSError as error:
        raise NoRoom(f"{out} cannot be written: {error.strerror or error}") from error
    progress("done", 1.0)
    for warning in work.relief.warnings:
        click.echo(warning, err=True)


def _inputs(options: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of the process; what was not given is left out."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    given["bbox"] = list(given["bbox"])
    if "layers" in given:
        given["layers"] = list(given["layers"])
    if "sun" in given:
        given["sun"] = dict(zip(("azimuth", "altitude"), given["sun"], strict=True))
    if "radius" in given:
        given["radius"] = _radius(given["radius"])
    return given


def _radius(text: str) -> Any:
    metres = METRES.fullmatch(text.strip())
    try:
        return {"metres": float(metres[1])} if metres else int(text)
    except ValueError as error:
        limit = "a number of cells, as in 16, or of metres, as in 500m"
        raise InvalidInput("radius", f"is {text[:80]!r}", limit=limit) from error


def _write_one(work: Composition, out: Path) -> None:
    content = work.preview() if out.suffix.lower() == ".png" else work.composite().content
    _put(out, content)


def _write_all(work: Composition, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    made = list(work.files(lambda name: f"./{name}"))
    for one in made:
        _put(directory / one.name, one.content)
    item = work.item(str(uuid.uuid4()), made)
    text = json.dumps(item, indent=2, ensure_ascii=False, allow_nan=False)
    _put(directory / ITEM, f"{text}\n".encode())


def _put(path: Path, content: bytes) -> None:
    """Write a file that is either whole or not there."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
