"""Results as a page, for browsers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from samgis_process.ogc.negotiation import is_json, is_wanted_as_page
from samgis_process.ogc.pages import Place, page, pretty

PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")  # what browsers show
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


def shown(
    request: Request, answer: Response, accept: str | None, *trail: Place, title: str = "Result"
) -> Response:
    """Return what people can read as a page to whoever asks for one.

    Args:
        accept: what the client takes.
        trail: the places above the page.
    """
    media_type = answer.media_type or ""
    if not is_wanted_as_page(accept, media_type):
        return answer
    content = bytes(answer.body)
    value = orjson.loads(content) if is_json(media_type) else None
    outputs = value if isinstance(value, Mapping) else {}
    return page(
        request,
        "result.html",
        title=title,
        headers=_kept(answer),
        text=pretty(value) if is_json(media_type) else content.decode(errors="replace"),
        trail=trail,
        references=list(_references(outputs)),
        pictures=list(_pictures(outputs)),
    )


def _kept(answer: Response) -> dict[str, str]:
    own = {"content-type", "content-length"}
    return {name: value for name, value in answer.headers.items() if name not in own}


def _references(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, one in outputs.items():
        if isinstance(one, Mapping) and isinstance(one.get("href"), str):
            yield name, one["href"], str(one.get("type", ""))


def _pictures(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, one in outputs.items():
        if not isinstance(one, Mapping) or one.get("mediaType") not in PICTURES:
            continue
        text = one.get("value")
        if isinstance(text, str) and _BASE64.fullmatch(text):
            yield name, f"data:{one['mediaType']};base64,{text}"
