"""The OpenAPI 3.0 document of our paths, complete in itself: no reference leaves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from samgis_process.ogc import components as parts
from samgis_process.ogc.components import Node, content, ref
from samgis_process.ogc.names import OPENAPI_JSON
from samgis_process.ogc.negotiation import HTML, JSON, is_json
from samgis_process.ogc.process import Process
from samgis_process.ogc.schemas import alternatives, for_openapi, media_types

_JOB_TAGS = [{"name": "jobs", "description": "Work that is not waited for."}]
_CREATED: Node = {
    "description": "A job was made of it.",
    "headers": {
        "Location": {"description": "Where the job is.", "schema": {"type": "string"}},
        "Preference-Applied": {
            "description": "The preferences that were honoured.",
            "schema": {"type": "string"},
        },
    },
    "content": {JSON: {"schema": ref("schemas", "statusInfo")}},
}


def document(
    processes: Iterable[Process],
    info: Mapping[str, Any],
    *,
    server_url: str = "/",
    extra_paths: Mapping[str, Any] | None = None,
    jobs: bool = False,
) -> dict[str, Any]:
    """Return the document.

    Args:
        processes: each gets a path of its own for running it, with its schemas.
        info: the document's `info`: title and version at least.
        server_url: where the paths begin.
        extra_paths: further paths, which may use the components of this document.
        jobs: whether jobs are kept.
    """
    described = [process.description for process in processes]
    tags = [{"name": "service", "description": "The service and what it can do."}]
    return {
        "openapi": "3.0.3",
        "info": dict(info),
        "servers": [{"url": server_url}],
        "tags": [*tags, *(_JOB_TAGS if jobs else ()), *(_tag(one) for one in described)],
        "paths": _fixed_paths()
        | _process_paths(described, jobs=jobs)
        | (_job_paths() if jobs else {})
        | dict(extra_paths or {}),
        "components": {
            "schemas": parts.SCHEMAS | _process_schemas(described),
            "parameters": parts.PARAMETERS,
            "responses": parts.RESPONSES,
        },
    }


def read_operation(name: str, summary: str, schema: str, *parameters: str) -> Node:
    """Return a GET of something that is there as JSON and as a page."""
    answer = {"description": summary, "content": content(ref("schemas", schema))}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": ["service"],
            "parameters": [ref("parameters", each) for each in (*parameters, "f")],
            "responses": {"200": answer} | parts.READ_ERRORS,
        }
    }


def _tag(description: Mapping[str, Any]) -> Node:
    text = str(description.get("description", description.get("title", "")))
    return {"name": str(description["id"]), "description": text}


def _fixed_paths() -> Node:
    one = read_operation("getProcess", "What a process takes and gives", "process", "processID")
    one["get"]["responses"] |= parts.responses(s404="NotFound")
    api = read_operation("getOpenApi", "This document", "process")
    api["get"]["responses"]["200"]["content"] = content({"type": "object"}, OPENAPI_JSON)
    listed = ("getProcesses", "The processes", "processList", "limit", "offset")
    return {
        "/": read_operation("getLandingPage", "Where to begin", "landingPage"),
        "/conformance": read_operation("getConformance", "Standards met", "confClasses"),
        "/openapi": api,
        "/processes": read_operation(*listed),
        "/processes/{processID}": one,
    }


def _job_paths() -> Node:
    query = ("limit", "cursor", "type", "processIDs", "status", "datetime", "minDuration")
    listed = _job_operation("getJobs", "Jobs, newest first", "jobList", *query, "maxDuration")
    one = _job_operation("getJob", "How a job is getting on", "statusInfo", "jobID")
    dismissed = _job_operation("dismissJob", "Stop a job, or remove it", "statusInfo", "jobID")
    dismissed["responses"] |= parts.responses(s410="Gone")
    return {
        "/jobs": {"get": listed},
        "/jobs/{jobID}": {"get": one, "delete": dismissed},
        "/jobs/{jobID}/results": {
            "get": _results("getResults", "The results of a job", "jobID", "outputs")
        },
        "/jobs/{jobID}/results/{outputID}": {
            "get": _results("getResult", "One output of a job", "jobID", "outputID")
        },
    }


def _job_operation(name: str, summary: str, schema: str, *parameters: str) -> Node:
    operation: Node = read_operation(name, summary, schema, *parameters)["get"]
    return operation | {
        "tags": ["jobs"],
        "responses": operation["responses"] | parts.JOB_ERRORS,
    }


def _results(name: str, summary: str, *parameters: str) -> Node:
    operation = _job_operation(name, summary, "results", *parameters)
    files = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    ok = operation["responses"]["200"]
    ok["content"] |= files
    nothing = {"description": "It ran; no output was asked for."}
    some = {
        "206": {"description": "The bytes asked for.", "content": files},
        "304": {"description": "The client has it."},
        "416": {"description": "There are no such bytes."},
    }
    operation["responses"] = {"200": ok, "204": nothing} | some | parts.RESULT_ERRORS
    return operation


def _process_paths(described: Iterable[Mapping[str, Any]], *, jobs: bool) -> Node:
    general = _execution("execute", "Run a process", ref("schemas", "execute"), {JSON: {}})
    general["post"]["parameters"].append(ref("parameters", "processID"))
    special = {f"/processes/{one['id']}/execution": _own_execution(one) for one in described}
    paths = {"/processes/{processID}/execution": general} | special
    if jobs:
        for path in paths.values():
            path["post"]["responses"] |= {"201": _CREATED} | parts.responses(s410="Gone")
    return paths


def _own_execution(description: Mapping[str, Any]) -> Node:
    name = str(description["id"])
    title = str(description.get("title", name))
    request = ref("schemas", f"{name}.execute")
    operation = _execution(f"execute.{name}", f"Run: {title}", request, _answers(description))
    operation["post"]["tags"] = [name]
    if "example" in description:
        operation["post"]["requestBody"]["content"][JSON]["example"] = description["example"]
    return operation


def _execution(name: str, summary: str, request: Node, answers: Node) -> Node:
    page = {HTML: {"schema": {"type": "string"}}}
    ok = {"description": "The outputs.", "content": answers | page}
    nothing = {"description": "It ran; no output was asked for."}
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "tags": ["service"],
            "parameters": [ref("parameters", "prefer")],
            "requestBody": {"required": False, "content": {JSON: {"schema": request}}},
            "responses": {"200": ok, "204": nothing} | parts.RUN_ERRORS,
        }
    }


def _answers(description: Mapping[str, Any]) -> Node:
    """Return the `content` of a run: one output bare, or the document of several."""
    document_ = {JSON: {"schema": ref("schemas", "results")}}
    outputs = description.get("outputs", {})
    if len(outputs) != 1:
        return document_ | {"multipart/related": {"schema": {"type": "string"}}}
    ((name, declared),) = outputs.items()
    schema = ref("schemas", f"{description['id']}.outputs.{name}")
    binary = {"type": "string", "format": "binary"}
    offered = media_types(declared.get("schema", {}))
    return {each: {"schema": schema if is_json(each) else binary} for each in offered} | document_


def _process_schemas(described: Iterable[Mapping[str, Any]]) -> Node:
    schemas: Node = {}
    for one in described:
        schemas[f"{one['id']}.execute"] = _execute_schema(one)
        for name, declared in one.get("outputs", {}).items():
            schemas[f"{one['id']}.outputs.{name}"] = _json_part(declared.get("schema", {}))
    return schemas


def _json_part(schema: Mapping[str, Any]) -> Any:
    """Return an output's schema without its files, which are no JSON."""
    branches = [b for b in alternatives(schema) if is_json(media_types(b)[0])]
    return for_openapi(schema if not branches else _either(branches))


def _either(branches: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return branches[0] if len(branches) == 1 else {"oneOf": branches}


def _execute_schema(description: Mapping[str, Any]) -> Node:
    inputs: Mapping[str, Any] = description.get("inputs", {})
    required = [name for name, declared in inputs.items() if declared.get("minOccurs", 1)]
    schema: Node = {
        "type": "object",
        "properties": {name: _input_schema(declared) for name, declared in inputs.items()},
        "additionalProperties": False,
    } | ({"required": required} if required else {})
    names = description.get("outputs", {})
    outputs = {
        "type": "object",
        "properties": {name: ref("schemas", "outputRequest") for name in names},
        "additionalProperties": False,
    }
    properties = parts.SCHEMAS["execute"]["properties"] | {"inputs": schema, "outputs": outputs}
    return {"type": "object", "properties": properties} | (
        {"required": ["inputs"]} if required else {}
    )


def _input_schema(declared: Mapping[str, Any]) -> Node:
    """Return what may stand for an input: the value, bare or qualified, or several of them."""
    value = for_openapi(declared.get("schema", {}))
    qualified = {
        "type": "object",
        "required": ["value"],
        "properties": {"value": value, "mediaType": {"type": "string"}},
    }
    schema: Node = {"anyOf": [value, qualified]}
    if declared.get("maxOccurs", 1) != 1:
        schema = {"anyOf": [schema, {"type": "array", "items": schema}]}
    words = {key: declared[key] for key in ("title", "description") if key in declared}
    return words | schema
