"""What the page has to know of this server: sources, models, limits, the terrain's colours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from samgis_process import __version__
from samgis_process.errors import SamgisError
from samgis_process.inference import catalogue
from samgis_process.inference.room import ModelRoom
from samgis_process.map.texts import plain
from samgis_process.map.tiles import is_tiled, zooms
from samgis_process.rendering import TERRAIN, Legend, echo, names, parse
from samgis_process.settings import LimitSettings
from samgis_process.sources import SourceCatalogue, SourceInfo
from samgis_process.sources.base import WORLD
from samgis_process.terrain import LAYERS

Json = dict[str, Any]


def sources_of(sources: SourceCatalogue, base: str) -> list[Json]:
    """Return every source; of one that is unavailable, why.

    Args:
        base: the path before every address of this server.
    """
    return [_source(sources, source_id, base) for source_id in sources]


def _source(sources: SourceCatalogue, source_id: str, base: str) -> Json:
    known: Json = {
        "id": source_id,
        "title": plain(sources.title(source_id)),
        "kind": "elevation" if source_id in sources.of_elevation else "imagery",
        "reason": None,
    }
    try:
        return known | _seen(sources.get(source_id).info, base)
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
        "tiles": f"{base}/map/tiles/{info.id}/{{z}}/{{x}}/{{y}}?v={_version(info)}",
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
    for layer in LAYERS.values():
        yield {"name": layer.name, "title": layer.title, "unit": layer.unit}


def _legend(legend: Legend) -> Mapping[str, Any]:
    return {
        "colour": legend.colour,
        "title": legend.title,
        "unit": legend.unit,
        "low": legend.low,
        "high": legend.high,
        "ramp": [f"#{bytes(colour).hex()}" for colour in legend.ramp],
    }
