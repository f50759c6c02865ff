"""The sources that the operator offers, by id and by alias.

A new kind of source is one module beside this one and one line in `_build`.
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xyzservices import providers

from samgis_process.errors import InvalidInput
from samgis_process.grid.mercator import Bounds
from samgis_process.settings import (
    ConfigurationError,
    RasterSettings,
    SampleSettings,
    SourceSettings,
    XyzSettings,
)
from samgis_process.sources import sample
from samgis_process.sources.base import WORLD, Source, SourceInfo
from samgis_process.sources.raster import RasterSource
from samgis_process.sources.tiles import TileSource, Transport

DEFAULT_MAX_ZOOM = 19


class SourceCatalogue:
    """Sources, each opened when it is first asked for and then kept.

    Args:
        settings: the configured sources by id.
        default: id of the one that is meant when none is named.
        directory: where the sample scene is kept.
    """

    def __init__(
        self, settings: Mapping[str, SourceSettings], default: str, directory: Path
    ) -> None:
        self._settings = settings
        self.default = default
        self._directory = directory
        self._open: dict[str, Source] = {}
        self._lock = threading.Lock()
        self._names = dict(_names(settings))

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    def get(self, name: str | None, field: str = "source") -> Source:
        """Return the source called `name`, or the default one.

        Raises:
            InvalidInput: there is none of that name; `field` is the input to blame.
        """
        source_id = self.default if name is None else self._names.get(name.casefold())
        if source_id is None:
            raise self._unknown(str(name), field)
        with self._lock:
            if source_id not in self._open:
                self._open[source_id] = self._build(source_id)
            return self._open[source_id]

    def open_all(self) -> list[SourceInfo]:
        """Open every source, so that a wrong path or provider shows at start."""
        return [self.get(name).info for name in self]

    def _unknown(self, name: str, field: str) -> InvalidInput:
        near = difflib.get_close_matches(name.casefold(), self._names, 1)
        hint = f"did you mean {self._names[near[0]]}?" if near else "choose one of them"
        offer = ", ".join(self._settings)
        return InvalidInput(field, f"{name[:80]!r} is not offered", limit=offer, remedy=hint)

    def _build(self, source_id: str) -> Source:
        settings = self._settings[source_id]
        kinds: dict[type[Any], Callable[[str, Any], Source]] = {
            XyzSettings: _tiles,
            RasterSettings: _raster,
            SampleSettings: self._sample,
        }
        return kinds[type(settings)](source_id, settings)

    def _sample(self, source_id: str, settings: SampleSettings) -> Source:
        files = sample.make(self._directory)
        about = _about(source_id, settings)
        about["attribution"] = settings.attribution or sample.ATTRIBUTION
        return RasterSource.open(source_id, files.imagery, **about)


def _names(settings: Mapping[str, SourceSettings]) -> Iterator[tuple[str, str]]:
    """Yield (name in lower case, id); ids come last, so that no alias can hide one."""
    for source_id, source in settings.items():
        for alias in source.aliases:
            yield alias.casefold(), source_id
    for source_id in settings:
        yield source_id.casefold(), source_id


def _about(source_id: str, settings: SourceSettings) -> dict[str, Any]:
    return {
        "title": settings.title or source_id,
        "attribution": settings.attribution,
        "terms": settings.terms,
        "aliases": settings.aliases,
    }


def _raster(source_id: str, settings: RasterSettings) -> Source:
    return RasterSource.open(source_id, settings.path, **_about(source_id, settings))


def _tiles(source_id: str, settings: XyzSettings) -> Source:
    provider = _provider(source_id, settings) if settings.provider else {}
    template = settings.url or _template(source_id, provider)
    if not all(part in template for part in ("{z}", "{x}")) or "y}" not in template:
        raise ConfigurationError(f"samgis.sources.{source_id}.url lacks {{z}}, {{x}} or {{y}}")
    max_zoom = settings.max_zoom or int(provider.get("max_zoom", DEFAULT_MAX_ZOOM))
    about = _about(source_id, settings)
    about["attribution"] = settings.attribution or provider.get("attribution", "")
    info = SourceInfo(
        id=source_id,
        version=f"{template}:{settings.revision}",
        zooms=(max(settings.min_zoom, int(provider.get("min_zoom", 0))), max_zoom),
        native_zoom=max_zoom,
        tile_size=settings.tile_size,
        bounds=Bounds(*settings.bounds) if settings.bounds else WORLD,
        **about,
    )
    return TileSource(info, template, _transport(settings))


def _transport(settings: XyzSettings) -> Transport:
    return Transport(
        settings.threads,
        settings.connect_timeout_s,
        settings.read_timeout_s,
        settings.deadline_s,
        settings.retries,
    )


def _provider(source_id: str, settings: XyzSettings) -> Any:
    try:
        return providers.query_name(str(settings.provider))
    except ValueError as error:
        raise ConfigurationError(
            f"samgis.sources.{source_id}.provider: xyzservices knows no {settings.provider!r}"
        ) from error


def _template(source_id: str, provider: Any) -> str:
    """Return the provider's address with all but the place filled in."""
    if not provider:
        raise ConfigurationError(f"samgis.sources.{source_id} needs `url` or `provider`")
    if provider.requires_token():
        raise ConfigurationError(
            f"samgis.sources.{source_id}: {provider.name} needs a key; write its address as "
            "`url` with the key as ${NAME} from the environment"
        )
    template = str(provider.url)
    for key, value in provider.items():
        if key not in {"x", "y", "z", "s", "r"}:
            template = template.replace(f"{{{key}}}", str(value))
    return template
