"""The pages of a server as a whole, from the JSON that it answers at the same addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from samgis_process.ogc import openapi_page
from samgis_process.ogc.conformance_names import by_standard
from samgis_process.ogc.pages import Place, page
from samgis_process.ogc.process import Process

PageOf = Callable[[Request, Mapping[str, Any]], Awaitable[ASGIApp]]
HOME = Place("Home", "/")


def service_pages(processes: Iterable[Process]) -> dict[str, PageOf]:
    """Return what makes the page of each path, from its JSON."""
    described = [dict(process.description) for process in processes]

    async def landing(request: Request, content: Mapping[str, Any]) -> ASGIApp:
        return page(
            request,
            "landing.html",
            title=str(content.get("title", "")),
            description=content.get("description", ""),
            processes=described,
            links=content.get("links", ()),
        )

    return {"/": landing, "/conformance": _conformance, "/openapi": _openapi}


async def _conformance(request: Request, content: Mapping[str, Any]) -> ASGIApp:
    classes = by_standard(content.get("conformsTo", ()))
    links = content.get("links", ())
    return page(
        request,
        "conformance.html",
        title="Conformance",
        trail=(HOME,),
        groups=classes,
        links=links,
    )


async def _openapi(request: Request, document: Mapping[str, Any]) -> ASGIApp:
    return page(
        request,
        "openapi.html",
        title="API",
        trail=(HOME,),
        info=document["info"],
        version=document["openapi"],
        schemes=document.get("components", {}).get("securitySchemes", {}),
        groups=openapi_page.groups(document),
        schemas=openapi_page.schemas(document),
        anchor=openapi_page.anchor,
    )
