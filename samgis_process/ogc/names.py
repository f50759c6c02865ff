"""The names that the standard gives to conformance classes, exceptions and link relations."""

from __future__ import annotations

EXCEPTION = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
RELATION = "http://www.opengis.net/def/rel/ogc/1.0/"
CONFORMANCE = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"

_ALWAYS = ("core", "ogc-process-description", "json", "html", "oas30")
_WITH_JOBS = ("job-list", "dismiss")


def conformance_classes(*, jobs: bool, callbacks: bool = False) -> list[str]:
    """Return the classes that hold: some need jobs to be kept, one that somebody is called."""
    further = (*(_WITH_JOBS if jobs else ()), *(("callback",) if callbacks else ()))
    return [CONFORMANCE + name for name in (*_ALWAYS, *further)]


OPENAPI_JSON = "application/vnd.oai.openapi+json;version=3.0"
