"""How long an answer may be used again: RFC 9111, as far as tiles need it.

`private` and `s-maxage` are for caches that serve many clients of the origin; we are one client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

# A tile that does not exist today may exist tomorrow; long enough not to ask with each window.
ABSENT_S = 600.0


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the headers of an answer allow.

    Attributes:
        life_s: seconds from now for which it is fresh.
        store: whether it may be kept at all.
        stale_ok: whether it may be used after its time when the server fails.
    """

    life_s: float
    store: bool = True
    stale_ok: bool = True


def freshness(headers: Mapping[str, str], now: float, default_s: float) -> Freshness:
    """Return what `headers` (in lower case) allow.

    Args:
        headers: of the answer.
        now: seconds since 1970.
        default_s: life of an answer whose server says nothing.
    """
    directives = _directives(headers.get("cache-control", ""))
    if "no-store" in directives:
        return Freshness(0.0, store=False)
    if "no-cache" in directives:
        return Freshness(0.0, stale_ok=False)
    life = _stated_life(directives, headers, now)
    stale_ok = "must-revalidate" not in directives
    return Freshness(default_s if life is None else max(0.0, life), stale_ok=stale_ok)


def says_life(headers: Mapping[str, str]) -> bool:
    """Return whether `headers` say anything of how long the answer lasts."""
    return "cache-control" in headers or "expires" in headers


def validators(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the request headers that ask whether the answer has changed."""
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return {ask: headers[name] for name, ask in names.items() if name in headers}


def _directives(text: str) -> dict[str, str]:
    parts = (part.strip().partition("=") for part in text.lower().split(","))
    return {name.strip(): value.strip(' "') for name, _, value in parts if name.strip()}


def _stated_life(
    directives: Mapping[str, str], headers: Mapping[str, str], now: float
) -> float | None:
    """Return the seconds left by `max-age` or else `Expires`; None if there is neither.

    A value that cannot be read means that the answer is stale already (RFC 9111, 4.2.1, 5.3).
    """
    if "max-age" in directives:
        return _seconds(directives["max-age"]) - _seconds(headers.get("age", "0"))
    if "expires" in headers:
        sent = http_date(headers.get("date", ""))
        ends = http_date(headers["expires"])
        return 0.0 if ends is None else ends - (now if sent is None else sent)
    return None


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0.0


def http_date(text: str) -> float | None:
    """Return seconds since 1970, or None if `text` is no date."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
