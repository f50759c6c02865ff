"""`samgis-process segment`: outlines of what is pointed at, without a server."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from samgis_process.cli import prompts
from samgis_process.cli.files import put
from samgis_process.cli.models import ensure_model
from samgis_process.cli.pictures import Picture, Rendering, image_options, picture
from samgis_process.cli.running import Report, run
from samgis_process.cli.window import BBOX, POINT
from samgis_process.ogc.delivery import suffix
from samgis_process.ogc.encode import to_bytes
from samgis_process.ogc.execute import perform_json
from samgis_process.ogc.process import Context
from samgis_process.ogc.request import Offer
from samgis_process.processes.segment_description import SHAPE_INPUTS
from samgis_process.server import wiring
from samgis_process.settings import load as load_settings

ALSO = {".json": ".geojson", ".tiff": ".tif"}
OUTPUT = "features"


def _shape_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each input that says how the outlines shall be."""
    inputs: dict[str, Any] = SHAPE_INPUTS
    for name, about in reversed(inputs.items()):
        schema = about["schema"]
        how: dict[str, Any] = {"help": about["description"]}
        if schema["type"] == "boolean":
            how |= {"is_flag": True, "default": None}
        elif "enum" in schema:
            how["type"] = click.Choice(schema["enum"])
        elif schema.get("nullable"):  # no number says what null does
            continue
        else:
            how |= {"type": float, "metavar": "X"}
        command = click.option(f"--{name.replace('_', '-')}", **how)(command)
    return command


@click.command(cls=prompts.PromptCommand)
@click.argument("image", required=False)
@click.option("--point", type=POINT, multiple=True, help="On an object; may be repeated.")
@click.option("--exclude", type=POINT, multiple=True, help="Not on it; may be repeated.")
@click.option(
    "--box", type=BBOX, multiple=True, help="Around an object; each one is an object of its own."
)
@click.option("--separate", is_flag=True, default=None, help="Each --point is an object.")
@click.option("--bbox", type=BBOX, help="The window; of a PNG or JPEG the bounds.")
@click.option("--source", metavar="ID", help="A source of the configuration, without IMAGE.")
@click.option("--zoom", type=int, help="Tile zoom; by default what suits the model.")
@click.option("--elevation", is_flag=True, help="IMAGE is elevation, to be drawn as terrain.")
@click.option("--rendering", type=Rendering(), help="How bands or elevation become colours.")
@click.option("--model", metavar="ID", help="An installed model other than the default one.")
@click.option("--masks", type=click.Choice(["best", "all"]), help="`all`: other readings too.")
@click.option("--detail", type=click.Choice(["auto", "never", "always"]), help="Second looks.")
@image_options
@_shape_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="A file; its ending says what: .geojson, .gpkg, .fgb, .parquet, .tif or .png.",
)
@click.option("--quiet", is_flag=True, help="No bar on standard error.")
@click.pass_context
def segment(
    ctx: click.Context,
    /,
    image: str | None,
    out: Path | None,
    *,
    elevation: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Outline what is pointed at, in a picture of yours or in a source.

    IMAGE is a raster with a place, of any size, or any other name that GDAL opens: --bbox chooses
    a window of it. Or it is a PNG, JPEG or WebP, which --bbox puts on the map. Prompts are used in
    the order in which they are given.

    Without --out GeoJSON goes to standard output.
    """
    if out is not None and not out.parent.is_dir():
        raise click.BadParameter(f"there is no directory {out.parent}.", ctx, param_hint="--out")
    if elevation and image is None:
        raise click.UsageError("--elevation is about IMAGE, which is not given.")
    settings = load_settings(ctx.obj.resolve())
    seen = picture(image, settings, options, elevation=elevation)
    ensure_model(settings)
    given = _inputs(options) | prompts.inputs(ctx)
    ending = out.suffix.lower() if out else ".geojson"
    warnings: list[str] = []
    file = run(lambda report: _segment(seen, given, ending, report, warnings), quiet=quiet)
    for warning in warnings:
        click.echo(warning, err=True)
    if out is None:
        sys.stdout.buffer.write(file + b"\n")
    else:
        put(out, file)


def _inputs(options: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of the process; what was not given is left out."""
    given = {name: value for name, value in options.items() if name not in prompts.KINDS}
    return {name: value for name, value in given.items() if value is not None}


def _segment(
    seen: Picture, given: dict[str, Any], ending: str, report: Report, warnings: list[str]
) -> bytes:
    """Return the file that the ending means; warnings go into the list."""
    report(0.0, "opening the model")
    services = wiring.build_services(seen.settings)
    offer = Offer(services.processes["segment"])
    media_type = _media_type(offer.outputs[OUTPUT], ending)
    context = Context(str(uuid.uuid4()), on_report=report, on_warning=warnings.append)
    outputs = {OUTPUT: {"format": {"mediaType": media_type}}}
    return to_bytes(perform_json(offer, seen.inputs | given, outputs, context)[OUTPUT])


def _media_type(offered: Sequence[str], ending: str) -> str:
    by_ending = {suffix(one): one for one in reversed(offered)}
    found = by_ending.get(ALSO.get(ending, ending))
    if found is None:
        known = ", ".join(sorted(by_ending.keys() - ALSO.keys()))
        raise click.BadParameter(
            f"{ending or 'no ending'!r} is no kind of file that is written here: {known}.",
            param_hint="--out",
        )
    return found
