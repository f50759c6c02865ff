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


def site_from(
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
        title=_text(metadata["identification"]["title"]),
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
    provider, email = metadata.get("provider", {}), _text(contact.get("email"))
    terms = _text(metadata["identification"].get("terms_of_service"))
    home = _text(provider.get("url"))
    found = {
        "Health": Place("How the server is", "/health"),
        "Provider": Place(_text(provider.get("name")), "" if home == own_url else home),
        "Contact": Place(_text(contact.get("name")), f"mailto:{email}" if email else ""),
        "Terms": Place(terms, terms),
        "Licence": Place(_text(licence.get("name")), _text(licence.get("url"))),
    }
    return {name: place for name, place in found.items() if place.title}


def _text(value: Any) -> str:
    """Return a text of the configuration; of one in several languages, the first."""
    one = next(iter(value.values()), "") if isinstance(value, Mapping) else value
    return str(one or "")
