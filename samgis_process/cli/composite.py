"""`samgis-process composite`: a composite and layers of the terrain, as files."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import click

from samgis_process.cli.files import put
from samgis_process.cli.pictures import Rendering, image_options, picture
from samgis_process.cli.running import Report, run
from samgis_process.cli.window import BBOX, WindowCommand
from samgis_process.errors import InvalidInput
from samgis_process.processes.dem_composite import ITEM, Composition
from samgis_process.processes.dem_composite_request import RENDERING
from samgis_process.rendering import TERRAIN
from samgis_process.server import wiring
from samgis_process.settings import load as load_settings
from samgis_process.terrain import LAYERS

METRES = re.compile(r"([0-9.]+)\s*m(?:etres)?")
ENDINGS = (".tif", ".tiff", ".png")


@click.command(cls=WindowCommand)
@click.argument("image", required=False)
@click.option("--bbox", type=BBOX, help="The window, in degrees.")
@click.option("--zoom", type=int, help="Tile zoom; by default some 1024 cells along a side.")
@click.option("--source", help="Id of a source of elevation; by default the first.")
@click.option(
    "--rendering",
    type=Rendering(),
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
@image_options
@click.option("--z-factor", type=float, metavar="F", help="By which heights are multiplied.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A directory for a STAC item and all files; or one .tif or .png.",
)
@click.option("--quiet", is_flag=True, help="No bar on standard error.")
@click.pass_context
def composite(
    ctx: click.Context, /, image: str | None, out: Path, *, quiet: bool, **options: Any
) -> None:
    """Draw elevation as an RGB composite, with layers such as slope and openness.

    IMAGE is a raster of elevation, of any size, or any other name
    that GDAL opens; without it, --source is a source of the
    configuration. A directory gets item.json, a STAC item that names the files beside it.
    """
    settings = load_settings(ctx.obj.resolve())
    seen = picture(image, settings, options, elevation=True)
    process = wiring.dem_composite(seen.settings)
    alone = out.suffix.lower() in ENDINGS
    if alone and options["layers"]:
        remedy = "name a directory as --out, or leave the layers out"
        raise InvalidInput("layers", "come as files of their own", remedy=remedy)
    inputs = seen.inputs | _inputs(options)

    def made(report: Report) -> tuple[Composition, dict[Path, bytes]]:
        work = process.begin(inputs, report, layers=not alone)
        return work, _one(work, out) if alone else _all(work, out)

    work, files = run(made, quiet=quiet)
    for path, content in files.items():
        put(path, content)
    for warning in work.relief.warnings:
        click.echo(warning, err=True)


def _inputs(options: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of the process; what was not given is left out."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
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


def _one(work: Composition, out: Path) -> dict[Path, bytes]:
    return {out: work.preview() if out.suffix.lower() == ".png" else work.composite().content}


def _all(work: Composition, directory: Path) -> dict[Path, bytes]:
    """Return the files of a directory; the item, which names the others, is the last."""
    made = list(work.files(lambda name: f"./{name}"))
    item = work.item(str(uuid.uuid4()), made)
    text = json.dumps(item, indent=2, ensure_ascii=False, allow_nan=False)
    files = {directory / one.name: one.content for one in made}
    return files | {directory / ITEM: f"{text}\n".encode()}
