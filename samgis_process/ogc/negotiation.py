"""Which of the representations on offer does a client want? (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

JSON = "application/json"
HTML = "text/html"
LONGEST, MOST_RANGES = 8000, 100  # characters and elements of an Accept header


class MediaRange(NamedTuple):
    """One element of an Accept header, such as `image/*;q=0.5`."""

    name: str
    parameters: frozenset[str]
    quality: float

    def covers(self, media_type: MediaRange) -> bool:
        """Return whether `media_type` lies in this range."""
        if not self.parameters <= media_type.parameters:
            return False
        if self.name == "*/*":
            return True
        if self.name.endswith("/*"):
            return media_type.name.startswith(self.name[:-1])
        return self.name == media_type.name

    @property
    def precision(self) -> tuple[bool, bool, int]:
        """Sort the ranges that cover a type: the one that says most about it comes last."""
        return self.name != "*/*", not self.name.endswith("/*"), len(self.parameters)


def parse(media_type: str) -> MediaRange:
    """Return a media type or range in comparable form; a quality nobody can read counts as 1."""
    name, *rest = (part.strip().lower() for part in media_type.split(";"))
    parameters = [part.replace(" ", "").replace('"', "") for part in rest if part]
    weights = [part[2:] for part in parameters if part.startswith("q=")]
    named = frozenset(part for part in parameters if not part.startswith("q="))
    return MediaRange(name, named, _weight(weights[0]) if weights else 1.0)


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


def quality(accept: str | None, media_type: str) -> float:
    """Return how much a client wants `media_type`, 0 to 1; without a header it takes anything."""
    if not (accept or "").strip():
        return 1.0
    wanted = parse(media_type)
    covering = sorted(
        (r for r in _ranges(accept or "") if r.covers(wanted)), key=lambda r: r.precision
    )
    return covering[-1].quality if covering else 0.0


@lru_cache(8)
def _ranges(accept: str) -> tuple[MediaRange, ...]:
    """Return the elements of an Accept header; what no client writes by hand is not read on."""
    parts = accept[:LONGEST].split(",", MOST_RANGES)[:MOST_RANGES]
    return tuple(parse(part) for part in parts if part.strip())


def best(accept: str | None, offers: Sequence[str]) -> str | None:
    """Return the offer wanted most, the earlier of two alike; None when none is wanted."""
    wanted = max(offers, key=lambda offer: quality(accept, offer))
    return wanted if quality(accept, wanted) > 0 else None


def is_json(media_type: str) -> bool:
    """Return whether the media type is JSON or built on it."""
    name = parse(media_type).name
    return name == JSON or name.endswith("+json")


def is_readable(media_type: str) -> bool:
    """Return whether people can read it as it is, so that a page may show it."""
    name = parse(media_type).name
    is_xml = name == "application/xml" or name.endswith("+xml")
    is_text = name.startswith("text/") and name != HTML
    return is_json(media_type) or is_text or (is_xml and not name.startswith("image/"))


def is_wanted_as_page(accept: str | None, media_type: str) -> bool:
    """Return whether a client wants what it can read on a page rather than as it is."""
    also = [JSON] if is_json(media_type) else []
    return is_readable(media_type) and best(accept, [media_type, *also, HTML]) == HTML


def matches(asked: str, offered: str) -> bool:
    """Return whether `offered` is what was asked for; parameters left out do not count."""
    return parse(asked).covers(parse(offered))


def narrows(given: str, offered: str) -> bool:
    """Return whether what was given is `offered` or says more of itself; or less, as `matches`."""
    return matches(given, offered) or parse(offered).covers(parse(given))


def wants_html(accept: str | None, format_: str | None) -> bool:
    """Return whether to answer with a page; `format_` is the query's `f` and outweighs Accept.

    A browser names text/html; whoever takes anything, or only what is not there, gets JSON.
    """
    if format_:
        return format_.lower() == "html"
    return best(accept, [JSON, HTML]) == HTML
