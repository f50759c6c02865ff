"""What the page has to know of this server: sources, models, limits, the terrain's colours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from samgis_process import __version__
from samgis_process.errors import SamgisError
from samgis_process.inference import catalogue
from samgis_process.inference.room import ModelRoom
from samgis_process.map.layers import SCALES
from samgis_process.map.texts import plain
from samgis_process.map.tiles import is_tiled, zooms
from samgis_process.rendering import TERRAIN, Legend, echo, names, parse, ramp
from samgis_process.settings import LimitSettings
from samgis_process.sources import SourceCatalogue, SourceInfo
from samgis_process.sources.availability import Availability
from samgis_process.sources.base import WORLD
from samgis_process.terrain import LAYERS

Json = dict[str, Any]


def sources_of(sources: SourceCatalogue, base: str) -> list[Json]:
    """Return every source; of one that is unavailable, why.

    Args:
        base: the path before every address of this server.
    """
    return [_source(sources, one, base) for one in sources.availability()]


def _source(sources: SourceCatalogue, found: Availability, base: str) -> Json:
    known: Json = {
        "id": found.id,
        "title": plain(sources.title(found.id)),
        "kind": "elevation" if found.id in sources.of_elevation else "imagery",
        "reason": found.reason or None,
    }
    if found.reason:  # to try again may take long; others do so
        return known
    try:
        return known | _seen(sources.get(found.id).info, base)
    except SamgisError as error:
        return known | {"reason": str(error)}


def _seen(info: SourceInfo, base: str) -> Json:
    low, native, high = zooms(info)
    rendering = parse(info.rendering, info.bands, info.id)
    return {
        "attribution": plain(info.attribution),
        "terms": plain(info.terms),
        "min_zoom": low,
        "native_zoom": native,
        "max_zoom": high,
        "bounds": None if info.bounds == WORLD else list(info.bounds),
        "tiles": f"{base}/map/tiles/{quote(info.id)}/{{z}}/{{x}}/{{y}}?v={_version(info)}",
        "rendering": echo(rendering, info.bands, info.id),
        "renderings": [name for name in names(info.bands) if is_tiled(name)],
    }


def _version(info: SourceInfo) -> str:
    """Return a text that changes with the source's pixels and with how they are drawn."""
    return hashlib.sha256(f"{__version__}\n{info.version}".encode()).hexdigest()[:12]


def models_of(models: ModelRoom) -> list[Json]:
    """Return the installed models, the default first."""
    return [
        {"id": name, "title": plain(_title(name, models)), "default": name == models.default_id}
        for name in models.ids
    ]


def _title(model_id: str, models: ModelRoom) -> str:
    entry = catalogue.entries().get(model_id)
    manifest = None if entry else catalogue.read_manifest(models.directory(model_id))
    return (entry.title if entry else manifest.title if manifest else "") or model_id


def limits_of(limits: LimitSettings) -> Json:
    """Return what one request may ask for."""
    return {
        "max_pixels": limits.max_pixels,
        "max_prompts": limits.max_prompts,
        "max_body_bytes": limits.max_body_bytes,
    }


def terrain() -> Json:
    """Return the renderings and layers of elevation, with their colours."""
    return {"renderings": list(_renderings()), "layers": list(_layers())}


def _renderings() -> Iterator[Json]:
    for style in TERRAIN.values():
        yield {
            "name": style.name,
            "title": style.title,
            "tiled": is_tiled(style.name),
            "legend": [_legend(one) for one in style.channels],
        }


def _layers() -> Iterator[Json]:
    for name, scale in SCALES.items():
        layer = LAYERS[name]
        bar = _bar("tint", layer.title, layer.unit, ramp(scale.colours), scale.stops)
        yield {"name": name, "title": layer.title, "unit": layer.unit, "legend": bar}


def _legend(legend: Legend) -> Json:
    middle = (legend.low + legend.high) / 2
    stops = (legend.low, middle, legend.high)
    return _bar(legend.colour, legend.title, legend.unit, legend.ramp, stops)


def _bar(
    colour: str, title: str, unit: str, colours: Iterable[Any], stops: Sequence[float]
) -> Json:
    """Return a bar of a legend: its colours, and values that stand equally far apart on it."""
    return {
        "colour": colour,
        "title": title,
        "unit": unit,
        "low": stops[0],
        "high": stops[-1],
        "ramp": [f"#{bytes(one).hex()}" for one in colours],
        "stops": list(stops),
    }
