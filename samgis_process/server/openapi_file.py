"""The OpenAPI document of the whole server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml

from samgis_process import __version__
from samgis_process.ogc import components, openapi
from samgis_process.ogc.process import Process
from samgis_process.server.config import read_config
from samgis_process.server.metrics_route import PATH as METRICS_PATH
from samgis_process.server.openapi_access import with_access
from samgis_process.server.result_files import PATH as RESULT_PATH
from samgis_process.settings import AccessSettings

_HEAD = "# Made from the processes by `samgis-process openapi`; a test compares the two.\n"


class HasProcesses(Protocol):
    """What the document is made from."""

    @property
    def processes(self) -> Mapping[str, Process]:
        """Every process on offer, by id."""
        ...


def document(
    services: HasProcesses,
    config: Mapping[str, Any],
    *,
    access: AccessSettings | None = None,
    jobs: bool = True,
) -> dict[str, Any]:
    """Return the document for a pygeoapi configuration.

    Args:
        access: who may use the server; by default everybody.
        jobs: whether there are jobs.
    """
    identification, licence = config["metadata"]["identification"], config["metadata"]["license"]
    health = openapi.read_operation("getHealth", "Whether the server is well", "health")
    health["get"]["parameters"] = []
    del health["get"]["responses"]["200"]["content"]["text/html"]
    health["get"]["responses"]["503"] = health["get"]["responses"]["200"]
    info = {
        "title": identification["title"],
        "description": identification["description"],
        "license": {key: licence[key] for key in ("name", "url") if key in licence},
        "version": __version__,
    }
    paths = {"/health": health, METRICS_PATH: _metrics(), RESULT_PATH: _result_file()}
    whole = openapi.document(services.processes.values(), info, extra_paths=paths, jobs=jobs)
    return with_access(whole, access or AccessSettings())


def _metrics() -> dict[str, Any]:
    """Return the GET of the metrics."""
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "get": {
            "operationId": "getMetrics",
            "summary": "Counts and times for operators, in Prometheus' text format",
            "tags": ["service"],
            "responses": {"200": {"description": "The metrics.", "content": content}}
            | components.responses(s400="BadRequest", s403="NotAllowed", s500="ServerError"),
        }
    }


def _result_file() -> dict[str, Any]:
    """Return the GET of a file that an answer links to."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    files = dict.fromkeys(("image/tiff", "image/png", "application/geo+json"), binary)
    text = {"type": "string"}
    range_ = {"name": "Range", "in": "header", "required": False, "schema": text}
    names = [
        {"name": "result_id", "in": "path", "required": True, "schema": text | {"format": "uuid"}},
        {"name": "name", "in": "path", "required": True, "schema": text},
    ]
    answers = {
        "200": {"description": "The file.", "content": files},
        "206": {"description": "The bytes asked for.", "content": files},
        "304": {"description": "The client has it."},
        "416": {"description": "There are no such bytes."},
    }
    return {
        "get": {
            "operationId": "getResultFile",
            "summary": "A file that an answer links to",
            "tags": ["service"],
            "parameters": [*names, range_],
            "responses": answers | components.responses(s404="NotFound", s500="ServerError"),
        }
    }


def render(services: HasProcesses, config_path: Path, access: AccessSettings | None = None) -> str:
    """Return the document as YAML, the same for the same processes and configuration."""
    content = document(services, read_config(config_path), access=access)
    return _HEAD + yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=99)


class _Plain(yaml.SafeDumper):
    """Writes what occurs twice twice: aliases are hard to read."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True
