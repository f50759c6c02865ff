"""The sources that the operator offers, by id and by alias.

A new kind of source is one module beside this one and one line in `_build`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from samgis_process.blobs import BlobStore
from samgis_process.errors import InvalidInput
from samgis_process.rendering import parse as parse_rendering
from samgis_process.settings import (
    ConfigurationError,
    GdalSettings,
    RasterSettings,
    SampleDemSettings,
    SampleSettings,
    SourceSettings,
    XyzSettings,
)
from samgis_process.sources import sample, xyz
from samgis_process.sources.availability import Availability, Opening, open_together
from samgis_process.sources.base import Source
from samgis_process.sources.http import HttpClient
from samgis_process.sources.raster import GdalOptions, RasterSource


class SourceCatalogue:
    """Sources, each opened when it is first asked for and then kept.

    Args:
        settings: the configured sources by id.
        default: id of the one that is meant when none is named.
        directory: where the sample scene is kept.
        tiles: where map tiles are kept; None: nowhere.
    """

    def __init__(
        self,
        settings: Mapping[str, SourceSettings],
        default: str,
        directory: Path,
        tiles: BlobStore | None = None,
    ) -> None:
        self._settings = settings
        self.default = default
        self._directory = directory
        self._tile_store = tiles
        self._client = HttpClient()
        self._openings = {name: Opening(name, partial(self._build, name)) for name in settings}
        self._names = dict(_names(settings))

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    @property
    def of_elevation(self) -> tuple[str, ...]:
        """The ids of sources that hold elevation, the default one first if it does."""
        found = [name for name, one in self._settings.items() if _holds_elevation(one)]
        return tuple(sorted(found, key=lambda name: name != self.default))

    def title(self, source_id: str) -> str:
        """Return a source's name for people, whether it is available or not."""
        return self._settings[source_id].title or source_id

    def has_tiles(self, source_id: str) -> bool:
        """Return whether a source's pictures come as tiles, which need not be drawn."""
        settings = self._settings[source_id]
        return isinstance(settings, XyzSettings) and settings.encoding is None

    def get(self, name: str | None, field: str = "source") -> Source:
        """Return the source called `name`, or the default one.

        Raises:
            InvalidInput: there is none of that name; `field` is the input to blame.
            SourceUnavailable: it cannot be opened now.
        """
        source_id = self.default if name is None else self._names.get(name.casefold())
        if source_id is None:
            raise self._unknown(str(name), field)
        return self._openings[source_id].get()

    def open_all(self) -> list[Availability]:
        """Open every source and return how that went."""
        open_together(self._openings.values())
        return self.availability()

    def availability(self) -> list[Availability]:
        """Return what is known of every source, without waiting for any."""
        return [opening.availability() for opening in self._openings.values()]

    def _unknown(self, name: str, field: str) -> InvalidInput:
        near = difflib.get_close_matches(name[:80].casefold(), self._names, 1)
        hint = f"did you mean {self._names[near[0]]}?" if near else "choose one of them"
        offer = ", ".join(self._settings)
        return InvalidInput(field, f"{name[:80]!r} is not offered", limit=offer, remedy=hint)

    def _build(self, source_id: str) -> Source:
        settings = self._settings[source_id]
        kinds: dict[type[Any], Callable[[str, Any], Source]] = {
            XyzSettings: self._tiles,
            RasterSettings: open_dataset,
            GdalSettings: open_dataset,
            SampleSettings: self._sample,
            SampleDemSettings: self._sample_dem,
        }
        source = kinds[type(settings)](source_id, settings)
        try:
            parse_rendering(source.info.rendering, source.info.bands, source_id)
        except InvalidInput as error:
            raise ConfigurationError(f"samgis.sources.{source_id}.{error}") from error
        return source

    def _tiles(self, source_id: str, settings: XyzSettings) -> Source:
        about = _about(source_id, settings)
        return xyz.build(source_id, settings, about, self._client, self._tile_store)

    def _sample(self, source_id: str, settings: SampleSettings) -> Source:
        return _sample_file(source_id, settings, sample.make(self._directory).imagery)

    def _sample_dem(self, source_id: str, settings: SampleDemSettings) -> Source:
        path = sample.make(self._directory).elevation
        return _sample_file(source_id, settings, path, elevation=True)


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
        "rendering": settings.rendering,
        "bulk": settings.bulk,
    }


def _sample_file(
    source_id: str, settings: SourceSettings, path: Path, *, elevation: bool = False
) -> Source:
    about = _about(source_id, settings)
    about["attribution"] = settings.attribution or sample.ATTRIBUTION
    options = GdalOptions(rendering=about.pop("rendering"), elevation=elevation)
    return RasterSource.open(source_id, path, options, **about)


def _holds_elevation(settings: SourceSettings) -> bool:
    if isinstance(settings, XyzSettings):
        return settings.encoding is not None
    if isinstance(settings, RasterSettings | GdalSettings):
        return settings.elevation
    return isinstance(settings, SampleDemSettings)


def open_dataset(source_id: str, settings: RasterSettings | GdalSettings) -> Source:
    """Return the source of a dataset that GDAL opens.

    Raises:
        ConfigurationError: it lies nowhere on the map, or has no such band.
        SourceUnavailable: it cannot be opened.
    """
    dataset = settings.path if isinstance(settings, RasterSettings) else settings.dataset
    about = _about(source_id, settings)
    options = GdalOptions(
        settings.gdal_options,
        {str(role): number for role, number in settings.band_roles.items()},
        about.pop("rendering"),
        settings.revision,
        settings.max_zoom,
        settings.nodata,
        settings.elevation,
        settings.vertical_unit,
        settings.crs,
    )
    return RasterSource.open(source_id, dataset, options, **about)
