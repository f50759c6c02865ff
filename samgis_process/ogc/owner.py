"""Whose request it is, as far as this room knows: a word that others gave it.

Whoever tells people apart (a middleware before these routes) writes `owner` into the request's
state. Nobody has to: then all requests are nobody's, and everybody sees all jobs.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection

NOBODY = ""  # the owner of all jobs while nobody is told from anybody else


def owner_of(request: HTTPConnection) -> str:
    """Return who owns what the request makes, and whose things it may see."""
    return str(request.scope.get("state", {}).get("owner", NOBODY))
