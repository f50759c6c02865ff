"""The picture that a command is given: any raster, or a PNG, JPEG or WebP with bounds."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from samgis_process.errors import InvalidInput, SamgisError, SourceDamaged
from samgis_process.processes.windows import finest_zoom
from samgis_process.settings import ConfigurationError, GdalSettings, Settings
from samgis_process.sources.catalogue import open_dataset
from samgis_process.sources.gdal_env import bound_cache, is_remote, plain_file
from samgis_process.sources.inline import MAGIC
from samgis_process.sources.place import spelled

STRETCHED = ("png", "jpeg", "webp")
ABOUT_IMAGE = {
    "crs": "--crs",
    "nodata": "--nodata",
    "vertical_unit": "--vertical-unit",
    "gdal_options": "--gdal-option",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """Where the pixels come from.

    Attributes:
        settings: with the picture as a source, where it is one.
        inputs: the inputs of the process that say which part of it.
    """

    settings: Settings
    inputs: dict[str, Any]


class Rendering(click.ParamType[Any]):
    """A name, or the JSON object that the input `rendering` takes."""

    name = "NAME|JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name or the object."""
        if not (isinstance(value, str) and value.lstrip().startswith("{")):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            self.fail(f"{value!r} is no JSON: {error}; quote it for the shell", param, ctx)


def image_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what may be said of IMAGE, in the words of a source's settings."""
    options = (
        click.option("--crs", metavar="CRS", help="Of IMAGE, whatever it says: EPSG:32632."),
        click.option("--nodata", type=float, metavar="N", help="The number that means nothing."),
        click.option(
            "--vertical-unit",
            type=click.Choice(["metre", "foot", "us-survey-foot"]),
            help="Unit of the heights in IMAGE.",
        ),
        click.option(
            "--gdal-option",
            "gdal_options",
            metavar="NAME=VALUE",
            multiple=True,
            callback=_pairs,
            help="A configuration option of GDAL; may be repeated.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _pairs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in value]
    if not all(name and mark for name, mark, _ in pairs):
        raise click.BadParameter("write it as NAME=VALUE.", ctx, param)
    return {name: text for name, _, text in pairs}


def picture(
    name: str | None, settings: Settings, options: dict[str, Any], *, elevation: bool
) -> Picture:
    """Return the picture that the arguments of a command mean; takes `ABOUT_IMAGE` out of them.

    Raises:
        UsageError: they contradict each other.
        InvalidInput: it cannot be read.
    """
    about = {key: options.pop(key) for key in ABOUT_IMAGE}
    about = {key: value for key, value in about.items() if value not in (None, {})}
    if name is None:
        if about:
            shown = ", ".join(ABOUT_IMAGE[key] for key in about)
            raise click.UsageError(f"{shown}: about IMAGE, which is not given.")
        return Picture(settings, {})
    if options["source"] is not None:
        raise click.UsageError("IMAGE and --source are two pictures: give one of them.")
    path = plain_file(name)
    if path is None and _is_path(name):
        raise click.BadParameter(f"there is no file {name}.", param_hint="IMAGE")
    if path and not elevation and not about and _kind(path) in STRETCHED and not _placed(path):
        return Picture(settings, {"image": base64.b64encode(path.read_bytes()).decode()})
    whole = options["bbox"] is None
    return _raster(name, settings, about, whole=whole, elevation=elevation)


def _is_path(name: str) -> bool:
    """Return whether a name can only mean a file, and no syntax of GDAL's."""
    return not (is_remote(name) or name.startswith(("/vsi", "<")) or ":" in Path(name).parts[0])


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(12)
    return next((kind for magic, kind in MAGIC if begin.startswith(magic)), "")


def _placed(path: Path) -> bool:
    """Return whether something beside a picture says where it lies."""
    return Path(f"{path}.aux.xml").exists()


def _raster(
    name: str, settings: Settings, about: dict[str, Any], *, whole: bool, elevation: bool
) -> Picture:
    """Return a dataset as the one source there is: only its windows are read, however large."""
    dataset = str(Path(name).resolve()) if plain_file(name) else name
    source_id = spelled(dataset)
    source = GdalSettings(type="gdal", dataset=dataset, elevation=elevation, **about)
    alone = settings.model_copy(
        update={"sources": {source_id: source}, "default_source": source_id}
    )
    bound_cache(settings.limits.gdal_cache_bytes)
    try:
        info = open_dataset(source_id, source).info
    except (ConfigurationError, SourceDamaged) as error:
        raise InvalidInput("image", _reason(error, source_id)) from error
    zoom = finest_zoom(info.bounds, info, settings.limits)
    return Picture(alone, {"bbox": list(info.bounds), "zoom": zoom} if whole else {})


def _reason(error: SamgisError, source_id: str) -> str:
    return str(error).removeprefix(f"source {source_id}").removeprefix(":").strip()
