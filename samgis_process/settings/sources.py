"""What an operator may say of a source, by its kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from samgis_process.settings.sections import Section


class _SourceSettings(Section):
    title: str | None = Field(None, description="Name for people.")
    attribution: str = Field("", description="Whom to credit; comes back in every answer.")
    terms: str = Field("", description="Terms of use: text or link.")
    aliases: tuple[str, ...] = Field((), description="Further names under which it is found.")
    bulk: bool = False  # whether whole regions may be read; nothing reads regions yet
    rendering: str | dict[str, Any] | None = Field(
        None, description="How its bands are drawn unless a request says; `rgb`."
    )


class XyzSettings(_SourceSettings):
    """Map tiles over HTTP, from a template or a provider of xyzservices."""

    type: Literal["xyz"]
    url: str | None = Field(None, description="Template with {z}, {x} and {y} or {-y}.")
    provider: str | None = Field(
        None, description="Name in the xyzservices catalogue, instead of `url`."
    )
    min_zoom: int = Field(0, ge=0, le=30, description="Lowest zoom that exists.")
    max_zoom: int | None = Field(
        None, ge=0, le=30, description="Highest zoom that exists; 19 or the provider's."
    )
    tile_size: Literal[256, 512, 1024] = Field(256, description="Pixels along a tile's side.")
    encoding: Literal["terrarium", "terrain-rgb"] | None = Field(
        None, description="How colours stand for elevation, if the tiles hold elevation."
    )
    bounds: tuple[float, float, float, float] | None = Field(
        None, description="West, south, east, north in degrees, if not the whole world."
    )
    revision: str = Field("", description="Change it when the pictures change.")
    threads: int = Field(8, ge=1, le=64, description="Tiles fetched at the same time.")
    connect_timeout_s: PositiveFloat = Field(3.05, description="Seconds to reach the server.")
    read_timeout_s: PositiveFloat = Field(10, description="Seconds without a byte.")
    deadline_s: PositiveFloat = Field(60, description="Seconds for all tiles of a window.")
    retries: int = Field(2, ge=0, le=10, description="Further tries of a tile that failed.")
    retry_after_s: PositiveFloat = Field(
        3, description="Seconds of a server's `Retry-After` that are waited for."
    )
    host_connections: int = Field(
        8, ge=1, le=64, description="Tiles fetched at the same time from one host, by all sources."
    )
    max_rate: PositiveFloat | None = Field(
        None, description="Requests a second, for servers that set a limit."
    )
    subdomains: tuple[str, ...] = Field(
        (), description="What {s} in `url` stands for; the provider's list, or a, b and c."
    )
    redirect_hosts: tuple[str, ...] = Field(
        (), description="Hosts (`name` or `name:port`) that the server may redirect to."
    )
    cache_tiles: bool = Field(
        default=True, description="Whether tiles are kept on disk as long as the server allows."
    )
    fresh_s: PositiveFloat = Field(
        7 * 24 * 3600, description="Seconds a kept tile is fresh when the server says nothing."
    )


class _GdalSettings(_SourceSettings):
    band_roles: dict[Literal["red", "green", "blue", "nir"], PositiveInt] = Field(
        default_factory=dict, description="Band numbers, where the dataset does not say itself."
    )
    gdal_options: dict[str, str] = Field(
        default_factory=dict, description="GDAL's configuration options while it is read."
    )
    nodata: float | None = Field(
        None, description="The value that means nothing, whatever the dataset says."
    )
    elevation: bool = Field(
        default=False, description="Whether the first band is elevation, to be drawn as terrain."
    )
    vertical_unit: Literal["metre", "foot", "us-survey-foot"] | None = Field(
        None, description="Unit of elevation, whatever the dataset says; if nobody does, metres."
    )
    crs: str | None = Field(
        None, description="Where it lies, whatever the dataset says: `EPSG:32632`."
    )
    revision: str = Field("", description="Change it when the pixels change.")
    max_zoom: int | None = Field(
        None, ge=0, le=24, description="Highest zoom that shows more than the one before it."
    )


class RasterSettings(_GdalSettings):
    """A raster file that GDAL reads, in any coordinate reference system."""

    type: Literal["raster"]
    path: Path = Field(..., description="The file; relative to the configuration file.")
    bulk: bool = True


class GdalSettings(_GdalSettings):
    """Whatever else GDAL opens by a name: COGs on the web, WMS, WMTS, MBTiles, STAC items."""

    type: Literal["gdal"]
    dataset: str = Field(
        ..., description="GDAL's name of it; a file is relative to the configuration file."
    )


class SampleSettings(_SourceSettings):
    """The built-in scene, drawn at first start."""

    type: Literal["sample"]
    bulk: bool = True


class SampleDemSettings(_SourceSettings):
    """The elevation of the built-in scene."""

    type: Literal["sample-dem"]
    bulk: bool = True


SourceSettings = Annotated[
    XyzSettings | RasterSettings | GdalSettings | SampleSettings | SampleDemSettings,
    Field(discriminator="type"),
]
