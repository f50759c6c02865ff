"""A STAC Item (1.1.0) of core fields alone, whose schemas every validator brings along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samgis_process.formats.facts import BandFacts
from samgis_process.grid import GeoBox

VERSION = "1.1.0"
DIGITS = 7  # of a degree: a centimetre


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of an item.

    Attributes:
        data_type: of its bands, in STAC's words (`uint8`, `float32`).
        nodata: what stands for unknown; "nan" for not-a-number, which JSON cannot say.
    """

    name: str
    href: str
    media_type: str
    title: str
    roles: tuple[str, ...]
    bands: Sequence[BandFacts] = ()
    data_type: str = ""
    nodata: str = ""
    description: str = ""

    def as_object(self) -> dict[str, Any]:
        """Return the asset as STAC writes it."""
        texts = {"title": self.title, "description": self.description}
        return {
            "href": self.href,
            "type": self.media_type,
            **{key: text for key, text in texts.items() if text},
            "roles": list(self.roles),
            **({"bands": [self._band(band) for band in self.bands]} if self.bands else {}),
        }

    def _band(self, band: BandFacts) -> dict[str, Any]:
        return {
            "name": band.name,
            "description": band.description,
            "data_type": self.data_type,
            **({"nodata": self.nodata} if self.nodata else {}),
            **({"unit": band.unit} if band.unit else {}),
            "statistics": band.statistics.as_object(),
        }


def item(
    item_id: str,
    grid: GeoBox,
    properties: Mapping[str, Any],
    assets: Iterable[Asset],
    links: Iterable[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Return the item of what lies in `grid`.

    Args:
        properties: `datetime` is one of them.
    """
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "id": item_id,
        "geometry": footprint(grid),
        "bbox": bounding_box(grid),
        "properties": dict(properties),
        "links": [dict(link) for link in links],
        "assets": {asset.name: asset.as_object() for asset in assets},
    }


def footprint(grid: GeoBox) -> dict[str, Any]:
    """Return the outer edge of `grid` in degrees, in two parts across the antimeridian.

    Its sides are parallels and meridians: four corners say all of it.
    """
    rings = [_ring(part) for part in grid.parts()]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": [rings[0]]}
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}


def bounding_box(grid: GeoBox) -> list[float]:
    """Return west, south, east, north; west is the larger across the antimeridian (RFC 7946)."""
    west, south, east, north = grid.bounds
    if grid.width == grid.world_size:
        west, east = -180.0, 180.0
    return [round(degrees, DIGITS) for degrees in (west, south, east, north)]


def _ring(part: GeoBox) -> list[list[float]]:
    """Return the corners anticlockwise, the first one again at the end."""
    west, south, east, north = (round(degrees, DIGITS) for degrees in part.bounds)
    corners = [[west, south], [east, south], [east, north], [west, north]]
    return [*corners, corners[0]]
