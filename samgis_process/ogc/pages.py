"""Small pages for people whose browser came upon a machine's answer."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import HTMLResponse

# Nothing on these pages runs or is loaded.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_STYLE = "body{font:1rem/1.5 sans-serif;margin:3rem auto;max-width:50rem;padding:0 1rem}"


def page(
    title: str, content: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """Return a page; `content` is HTML, whose author has escaped what needs it."""
    heading = html.escape(title)
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{heading}</title>'
        f"<style>{_STYLE}</style><h1>{heading}</h1>{content}</html>"
    )
    return HTMLResponse(text, status, {**(headers or {}), "Content-Security-Policy": _POLICY})


def outline(value: Any) -> str:
    """Return a JSON value as HTML that shows all of it; what has an address becomes a link."""
    if isinstance(value, Mapping):
        if "href" in value:
            return _anchor(value)
        facts = (f"<dt>{html.escape(name)}<dd>{outline(item)}" for name, item in value.items())
        return f"<dl>{''.join(facts)}</dl>"
    if isinstance(value, list | tuple):
        return f"<ul>{''.join(f'<li>{outline(item)}' for item in value)}</ul>"
    return html.escape(value if isinstance(value, str) else orjson.dumps(value).decode())


def _anchor(link: Mapping[str, Any]) -> str:
    text = html.escape(str(link.get("title", link["href"])))
    return f'<a href="{html.escape(str(link["href"]))}">{text}</a>'
