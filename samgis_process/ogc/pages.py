"""Pages for people: templates in one frame, and what all of them show of the site."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import jinja2
import orjson
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_CODE = re.compile(r"`([^`\n]+)`")
TEMPLATES = Path(__file__).parent / "templates"
_HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
_OUTSIDE = ("http://", "https://", "mailto:")


@dataclass(frozen=True, slots=True)
class Place:
    """Something to go to.

    Attributes:
        href: an address, or a path of this server, which begins with a slash.
    """

    title: str
    href: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """What pages show of the whole server.

    Attributes:
        public_url: its address; by default the one that the client used.
        jobs: whether there are any.
        keys: whether who has an API key may do more.
        highlights: what the landing page shows first; the frame links to it too.
        facts: further facts by their names, such as the licence.
    """

    title: str = "Processes"
    version: str = ""
    public_url: str | None = None
    jobs: bool = False
    keys: bool = False
    highlights: tuple[Place, ...] = ()
    facts: Mapping[str, Place] | None = None


def site_of(request: Request) -> Site:
    """Return the site that the application keeps as `app.state.site`, or a nameless one."""
    state = getattr(request.scope.get("app"), "state", None)
    return getattr(state, "site", None) or Site()


def root_of(request: Request) -> str:
    """Return the path under which browsers find the server, without a slash at its end."""
    public_url = site_of(request).public_url
    path = urlsplit(public_url).path if public_url else str(request.scope.get("root_path", ""))
    return path.rstrip("/")


def page(
    request: Request,
    template: str,
    *,
    title: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """Return a page; all values are escaped.

    Args:
        template: a file of `templates`.
        values: what it shows; `trail` are the places above it, `links` those of the JSON that
            it shows.
    """
    site, root = site_of(request), root_of(request)

    def with_query(**changes: str) -> str:
        kept = [pair for pair in request.query_params.multi_items() if pair[0] not in changes]
        return f"?{urlencode([*kept, *changes.items()])}"

    seen = {
        "site": site,
        "root": root,
        "path": _path(request),
        "place_href": lambda place: _href(place, root),
        "with_query": with_query,
        "json_href": with_query(f="json") if _is_read(request) else "",
    }
    text = _environment().get_template(template).render(title=title, **(seen | values))
    response = HTMLResponse(text, status, {**(headers or {}), **_HEADERS})
    response.headers.add_vary_header("Accept")  # at the same address there is JSON too
    return response


def _path(request: Request) -> str:
    """Return the path as our routes know it."""
    path, root = str(request.scope.get("path", "")), str(request.scope.get("root_path", ""))
    return path.removeprefix(root) or "/"


def _is_read(request: Request) -> bool:
    return request.scope.get("method", "GET") in {"GET", "HEAD"}


def _href(place: Place, root: str) -> str:
    return f"{root}{place.href}" if place.href.startswith("/") else _outside(place.href)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )
    environment.filters |= {"pretty": pretty, "prose": prose, "outside": _outside}
    return environment


def pretty(value: Any) -> str:
    """Return a value as JSON to read."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()


def prose(text: Any) -> Markup:
    """Return a text of a description, escaped; what stands in `backticks` becomes code."""
    parts = _CODE.split(str(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else Markup.escape(part)
        for index, part in enumerate(parts)
    )


def _outside(href: Any) -> str:
    """Return an address that a link may lead to, or nothing: data may hold any."""
    text = str(href)
    return text if text.startswith((*_OUTSIDE, "/")) else ""
