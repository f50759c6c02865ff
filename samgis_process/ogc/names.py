"""The names that the standard gives to conformance classes, exceptions and link relations."""

from __future__ import annotations

EXCEPTION = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
RELATION = "http://www.opengis.net/def/rel/ogc/1.0/"
CONFORMANCE = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"

# Callback, job-list and dismiss come with jobs.
CONFORMANCE_CLASSES = tuple(
    CONFORMANCE + name for name in ("core", "ogc-process-description", "json", "html", "oas30")
)
OPENAPI_JSON = "application/vnd.oai.openapi+json;version=3.0"
