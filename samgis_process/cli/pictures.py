"""The picture that a command is given: a raster of any size, or a PNG or JPEG with bounds."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from samgis_process.errors import InvalidInput, SourceUnavailable
from samgis_process.processes.windows import finest_zoom
from samgis_process.settings import RasterSettings, Settings
from samgis_process.sources.inline import MAGIC
from samgis_process.sources.raster import GdalOptions, RasterSource

STRETCHED = ("png", "jpeg")


@dataclass(frozen=True, slots=True)
class Picture:
    """Where the pixels come from.

    Attributes:
        settings: with the picture as a source, where it is one.
        inputs: the inputs of the process that say which part of it.
    """

    settings: Settings
    inputs: dict[str, Any]


def picture(
    path: Path | None, settings: Settings, bbox: Any, source: str | None, *, elevation: bool
) -> Picture:
    """Return the picture that the arguments of a command mean.

    Raises:
        UsageError: they contradict each other.
        InvalidInput: it cannot be read.
    """
    if path is None:
        return Picture(settings, {})
    if source is not None:
        raise click.UsageError("IMAGE and --source are two pictures: give one of them.")
    if not elevation and _kind(path) in STRETCHED:
        data = base64.b64encode(path.read_bytes()).decode()
        return Picture(settings, {"image": data})
    return _raster(path, settings, whole=bbox is None, elevation=elevation)


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(8)
    return next((kind for magic, kind in MAGIC if begin.startswith(magic)), "")


def _raster(path: Path, settings: Settings, *, whole: bool, elevation: bool) -> Picture:
    """Return a file as the one source there is: only its windows are read, however large it is."""
    source = RasterSettings(type="raster", path=path.resolve(), elevation=elevation)
    alone = settings.model_copy(
        update={"sources": {path.name: source}, "default_source": path.name}
    )
    try:
        info = RasterSource.open(path.name, source.path, GdalOptions(elevation=elevation)).info
    except SourceUnavailable as error:
        reason = str(error).removeprefix(f"source {path.name}: ")
        raise InvalidInput("image", reason) from error
    zoom = finest_zoom(info.bounds, info, settings.limits)
    return Picture(alone, {"bbox": list(info.bounds), "zoom": zoom} if whole else {})
