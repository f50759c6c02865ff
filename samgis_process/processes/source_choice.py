"""Which source a request means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samgis_process.errors import InvalidInput
from samgis_process.sources import Source, SourceCatalogue
from samgis_process.sources.inline import ImageSource


def chosen(inputs: Mapping[str, Any], sources: SourceCatalogue) -> Source:
    """Find the source; `source_type` is SamGIS's word for it.

    Raises:
        InvalidInput: there is none of that name, or two are named.
        SourceUnavailable: it cannot be opened now.
    """
    name, older = inputs.get("source"), inputs.get("source_type")
    if name is None and older is not None:
        return sources.get(older, "source_type")
    source = sources.get(name)
    if older is not None and sources.get(older, "source_type") is not source:
        raise InvalidInput(
            "source_type",
            f"{older[:80]!r} and source {name!r} are different sources",
            remedy="give one of them",
        )
    return source


def origin(source: Source) -> dict[str, Any]:
    """Return what a later request may name the source by."""
    if isinstance(source, ImageSource):
        bounds = [round(degrees, 7) for degrees in source.info.bounds]
        return {"id": source.info.id, "digest": source.digest, "bounds": bounds}
    return {"id": source.info.id}
