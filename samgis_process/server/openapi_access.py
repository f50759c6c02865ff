"""What access adds to the OpenAPI document: how to say who one is, and what comes of not doing so.

Nothing, where the settings ask nobody: then no such answer can come.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from samgis_process.ogc.components import ref
from samgis_process.server.access import KEY_HEADER, is_closed

Node = dict[str, Any]
_METHODS = ("get", "put", "post", "patch", "delete")
_UNGUARDED = "/health"
_KEY: Node = {
    "apiKey": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same key."},
}


class Settings(Protocol):
    """What `settings.AccessSettings` says of it."""

    @property
    def keys(self) -> tuple[Any, ...]:
        """API keys."""
        ...

    @property
    def user_header(self) -> str | None:
        """Header in which a proxy names a user."""
        ...

    @property
    def everything(self) -> bool:
        """Whether nothing is open."""
        ...

    @property
    def is_closed(self) -> bool:
        """Whether clients must say who they are."""
        ...

    @property
    def requests_per_minute(self) -> float | None:
        """Requests of one client."""
        ...

    @property
    def executions_per_minute(self) -> float | None:
        """Executions of one client."""
        ...


def with_access(document: Node, settings: Settings) -> Node:
    """Return the document of a server with these settings; without access, the same."""
    document = copy.deepcopy(document)
    if settings.is_closed:
        document["components"]["securitySchemes"] = schemes = _schemes(settings)
        for path, method, operation in _operations(document):
            _secure(path, method, operation, settings, list(schemes))
    else:
        del document["components"]["responses"]["NotSignedIn"]
    for path, _, operation in _operations(document):
        if settings.requests_per_minute or _is_limited_run(path, settings):
            operation["responses"]["429"] = ref("responses", "TooManyRequests")
    if not (settings.requests_per_minute or settings.executions_per_minute):
        del document["components"]["responses"]["TooManyRequests"]
    return document


def _secure(
    path: str, method: str, operation: Node, settings: Settings, schemes: Iterable[str]
) -> None:
    ways: list[Node] = [{name: []} for name in schemes]
    operation["responses"]["401"] = ref("responses", "NotSignedIn")  # also to a wrong key
    closed = is_closed(method.upper(), path, everything=settings.everything)
    # An empty way: without any it does too.
    operation["security"] = ways if closed else [{}, *ways]
    if settings.user_header and method != "get":
        operation["responses"]["403"] = ref("responses", "NotAllowed")


def _schemes(settings: Settings) -> Node:
    keys = _KEY if settings.keys else {}
    if not settings.user_header:
        return dict(keys)
    words = "The proxy before this server signs people in; clients do not send this themselves."
    scheme = {"type": "apiKey", "in": "header", "name": settings.user_header}
    return {**keys, "proxyUser": scheme | {"description": words}}


def _is_limited_run(path: str, settings: Settings) -> bool:
    return bool(settings.executions_per_minute) and path.endswith("/execution")


def _operations(document: Node) -> Iterator[tuple[str, str, Node]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS and path != _UNGUARDED:
                yield path, method, operation
