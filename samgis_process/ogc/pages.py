"""Small pages for people whose browser came upon a machine's answer."""

from __future__ import annotations

import html
from collections.abc import Mapping

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
