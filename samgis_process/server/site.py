"""What the pages show of this server, from pygeoapi's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from samgis_process import __version__
from samgis_process.ogc.pages import Place, Site


class Access(Protocol):
    """What `settings.AccessSettings` says of it."""

    @property
    def keys(self) -> Iterable[Any]:
        """API keys."""
        ...


class Services(Protocol):
    """What the application serves."""

    @property
    def access(self) -> Access:
        """Who may use it."""
        ...

    @property
    def public_url(self) -> str | None:
        """Its address, if it is known."""
        ...


def site_of(
    config: Mapping[str, Any],
    services: Services,
    *,
    has_jobs: bool,
    highlights: Iterable[Place] = (),
) -> Site:
    """Return what all pages have in common.

    Args:
        highlights: further pages, shown first.
    """
    metadata = config["metadata"]
    collections = [Place("Collections", "/collections")] if _has_collections(config) else []
    return Site(
        title=str(metadata["identification"]["title"]),
        version=__version__,
        public_url=services.public_url,
        jobs=has_jobs,
        keys=bool(list(services.access.keys)),
        highlights=(*highlights, *collections),
        facts=_facts(metadata, str(config["server"]["url"])),
    )


def _has_collections(config: Mapping[str, Any]) -> bool:
    resources = (config.get("resources") or {}).values()
    return any(one.get("type") in {"collection", "stac-collection"} for one in resources)


def _facts(metadata: Mapping[str, Any], own_url: str) -> dict[str, Place]:
    """Return what the metadata say; a link of the service to itself leads nowhere new."""
    contact, licence = metadata.get("contact", {}), metadata.get("license", {})
    provider, email = metadata.get("provider", {}), contact.get("email", "")
    provider_url = str(provider.get("url", ""))
    terms = metadata["identification"].get("terms_of_service", "")
    found = {
        "Health": Place("How the server is", "/health"),
        "Provider": Place(
            str(provider.get("name", "")), "" if provider_url == own_url else provider_url
        ),
        "Contact": Place(str(contact.get("name", "")), f"mailto:{email}" if email else ""),
        "Terms": Place(str(terms), str(terms)),
        "Licence": Place(str(licence.get("name", "")), str(licence.get("url", ""))),
    }
    return {name: place for name, place in found.items() if place.title}
