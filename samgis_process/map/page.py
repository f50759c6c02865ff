"""The page itself: a template, filled with what does not depend on who looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse

from samgis_process import __version__
from samgis_process.map.assets import TEMPLATES
from samgis_process.ogc.resource import base_url

# blob: is for tiles that were fetched with a key; data: for Leaflet's own pictures.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
}


class MapPage:
    """Makes the page of a process.

    Args:
        public_url: the server's address; by default the one that the client used.
    """

    def __init__(self, public_url: str | None) -> None:
        self._public_url = public_url
        files = FileSystemLoader(TEMPLATES)
        self._templates = Environment(loader=files, autoescape=True)

    async def __call__(self, request: Request, description: Mapping[str, Any]) -> HTMLResponse:
        """Return the page; `description` is the process's, with its links."""
        text = self._templates.get_template("map.html").render(
            title=description["title"],
            base=base_path(request, self._public_url),
            version=__version__,
            description=description,
        )
        return HTMLResponse(text, headers=HEADERS)


def base_path(request: Request, public_url: str | None) -> str:
    """Return the path before every address of this server: empty, or with a slash before it."""
    return urlsplit(base_url(request, public_url)).path.rstrip("/")
