"""Tile sources from the operator's settings and the xyzservices catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from xyzservices import providers

from samgis_process.blobs import BlobStore
from samgis_process.grid.mercator import Bounds
from samgis_process.rendering import RGB_TILES, Bands, Span
from samgis_process.settings import ConfigurationError, XyzSettings
from samgis_process.sources.base import WORLD, SourceInfo
from samgis_process.sources.http import HttpClient, Transport
from samgis_process.sources.tile_cache import TileCache
from samgis_process.sources.tiles import Template, TileSource

DEFAULT_MAX_ZOOM = 19
# Elevation is one band of metres, as grey from the sea to what few mountains exceed: fixed, so
# that panning changes nothing.
ELEVATION = Bands(spans=(Span(0.0, 4000.0),), natural=(1,), metres=1.0)
DEFAULT_SUBDOMAINS = "abc"  # Leaflet's, which the catalogue's addresses were written for


def build(
    source_id: str,
    settings: XyzSettings,
    about: Mapping[str, Any],
    client: HttpClient,
    store: BlobStore | None,
) -> TileSource:
    """Return the source.

    Args:
        source_id: its name in the configuration.
        settings: what the operator says of it.
        about: what users see of it, as every kind of source has it.
        client: connections, shared by all sources.
        store: where tiles are kept; None: nowhere.

    Raises:
        ConfigurationError: there is no usable address.
    """
    provider = _provider(source_id, settings) if settings.provider else {}
    template = _template(source_id, settings, provider)
    max_zoom = settings.max_zoom
    if max_zoom is None:
        max_zoom = int(provider.get("max_zoom", DEFAULT_MAX_ZOOM))
    if settings.min_zoom > max_zoom:
        raise ConfigurationError(
            f"samgis.sources.{source_id}.min_zoom is {settings.min_zoom}, above the highest zoom "
            f"({max_zoom}); correct one of them"
        )
    attribution = settings.attribution or provider.get("attribution", "")
    info = SourceInfo(
        id=source_id,
        version=f"{template.text}:{settings.revision}",
        zooms=(max(settings.min_zoom, int(provider.get("min_zoom", 0))), max_zoom),
        native_zoom=max_zoom,
        tile_size=settings.tile_size,
        bounds=Bounds(*settings.bounds) if settings.bounds else WORLD,
        bands=ELEVATION if settings.encoding else RGB_TILES,
        **{**about, "attribution": attribution},
    )
    keep = store is not None and settings.cache_tiles
    cache = TileCache(store, settings.fresh_s) if store and keep else None
    transport = _transport(settings, template)
    return TileSource(info, template, transport, client, cache, settings.encoding)


def _transport(settings: XyzSettings, template: Template) -> Transport:
    return Transport(
        threads=settings.threads,
        connect_timeout_s=settings.connect_timeout_s,
        read_timeout_s=settings.read_timeout_s,
        deadline_s=settings.deadline_s,
        retries=settings.retries,
        host_connections=settings.host_connections,
        max_rate=settings.max_rate,
        retry_after_s=settings.retry_after_s,
        redirect_hosts=_own_hosts(template) | {name.lower() for name in settings.redirect_hosts},
    )


def _own_hosts(template: Template) -> frozenset[str]:
    """Return every host that the template names: one for each subdomain."""
    count = len(template.subdomains)
    return frozenset(urlsplit(template.url(9, x, 0)).netloc.lower() for x in range(count))


def _provider(source_id: str, settings: XyzSettings) -> Any:
    try:
        return providers.query_name(str(settings.provider))
    except ValueError as error:
        raise ConfigurationError(
            f"samgis.sources.{source_id}.provider: xyzservices knows no {settings.provider!r}"
        ) from error


def _template(source_id: str, settings: XyzSettings, provider: Any) -> Template:
    text = settings.url or _address(source_id, provider)
    if not all(part in text for part in ("{z}", "{x}")) or "y}" not in text:
        raise ConfigurationError(f"samgis.sources.{source_id}.url lacks {{z}}, {{x}} or {{y}}")
    if urlsplit(text).scheme not in {"http", "https"}:
        raise ConfigurationError(f"samgis.sources.{source_id}.url is neither http nor https")
    # The same zoom in twice the pixels: providers that have it say so by {r} in their address.
    density = "@2x" if settings.tile_size == 512 else ""
    subdomains = settings.subdomains or tuple(provider.get("subdomains", DEFAULT_SUBDOMAINS))
    return Template(text, subdomains, density)


def _address(source_id: str, provider: Any) -> str:
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
