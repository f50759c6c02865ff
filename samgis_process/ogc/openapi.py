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

_BINARY: Node = {"type": "string", "format": "binary"}
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
    hrefs: bool = False,
    callbacks: bool = False,
) -> dict[str, Any]:
    """Return the document.

    Args:
        processes: each gets a path of its own for running it, with its schemas.
        info: the document's `info`: title and version at least.
        server_url: where the paths begin.
        extra_paths: further paths, which may use the components of this document.
        jobs: whether jobs are kept.
        hrefs: whether inputs may be references, which are fetched.
        callbacks: whether whoever subscribes to a job is called.
    """
    described = [process.description for process in processes]
    tags = [{"name": "service", "description": "The service and what it can do."}]
    return {
        "openapi": "3.0.3",
        "info": dict(info),
        "servers": [{"url": server_url}],
        "tags": [*tags, *(_JOB_TAGS if jobs else ()), *(_tag(one) for one in described)],
        "paths": _fixed_paths()
        | _process_paths(described, jobs=jobs, callbacks=callbacks)
        | (_job_paths() if jobs else {})
        | dict(extra_paths or {}),
        "components": {
            "schemas": parts.SCHEMAS | _process_schemas(described, hrefs=hrefs),
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
        "/jobs/{jobID}/results/{outputID}": {"get": _one_result()},
    }


def _job_operation(name: str, summary: str, schema: str, *parameters: str) -> Node:
    operation: Node = read_operation(name, summary, schema, *parameters)["get"]
    return operation | {
        "tags": ["jobs"],
        "responses": operation["responses"] | parts.JOB_ERRORS,
    }


def _results(name: str, summary: str, *parameters: str) -> Node:
    operation = _job_operation(name, summary, "results", *parameters)
    ok = operation["responses"]["200"]
    # One output bare is whatever it is.
    files = {"*/*": {"schema": _BINARY}}
    ok["content"] |= {JSON: {"schema": {}}} | files
    some = {
        "206": {"description": "The bytes asked for.", "content": files},
        "304": {"description": "The client has it."},
        "416": {"description": "There are no such bytes."},
    }
    operation["responses"] = {"200": ok, "204": parts.NO_CONTENT} | some | parts.RESULT_ERRORS
    return operation


def _one_result() -> Node:
    parameters = ("jobID", "outputID", "range")
    operation = _job_operation("getResult", "One output of a job", "results", *parameters)
    files = parts.file_answers("The output, bare.", "*/*")
    return operation | {"responses": files | parts.RESULT_ERRORS}


def _process_paths(described: Iterable[Mapping[str, Any]], *, jobs: bool, callbacks: bool) -> Node:
    general = _execution(
        "execute", "Run a process", ref("schemas", "execute"), {JSON: {}, "*/*": {}}
    )
    general["post"]["parameters"].append(ref("parameters", "processID"))
    special = {f"/processes/{one['id']}/execution": _own_execution(one) for one in described}
    paths = {"/processes/{processID}/execution": general} | special
    if jobs:
        for path in paths.values():
            path["post"]["responses"] |= {"201": _CREATED} | parts.responses(s410="Gone")
    if callbacks:
        for path in paths.values():
            path["post"]["callbacks"] = parts.CALLBACKS
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
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "tags": ["service"],
            "parameters": [ref("parameters", "prefer")],
            "requestBody": {"required": False, "content": {JSON: {"schema": request}}},
            "responses": {"200": ok, "204": parts.NO_CONTENT} | parts.RUN_ERRORS,
        }
    }


def _answers(description: Mapping[str, Any]) -> Node:
    """Return the `content` of a run: one output bare, or several in a document or in parts."""
    outputs = description.get("outputs", {})
    several = {"multipart/related": {"schema": {"type": "string"}}} if len(outputs) > 1 else {}
    found: dict[str, list[Node]] = {}
    for name, declared in outputs.items():
        named = _json_schemas(f"{description['id']}.outputs.{name}", declared.get("schema", {}))
        for each in media_types(declared.get("schema", {})):
            schema = ref("schemas", named[each][0]) if each in named else _BINARY
            found.setdefault(each, []).append(schema)
    found.setdefault(JSON, []).append(ref("schemas", "results"))
    return {each: {"schema": _any(schemas)} for each, schemas in found.items()} | several


def _any(schemas: list[Node]) -> Node:
    """Return what fits one of the schemas."""
    if _BINARY in schemas:
        return _BINARY
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _process_schemas(described: Iterable[Mapping[str, Any]], *, hrefs: bool) -> Node:
    schemas: Node = {}
    for one in described:
        schemas[f"{one['id']}.execute"] = _execute_schema(one, schemas, hrefs=hrefs)
        for name, declared in one.get("outputs", {}).items():
            named = _json_schemas(f"{one['id']}.outputs.{name}", declared.get("schema", {}))
            schemas |= dict(named.values())
    return schemas


def _json_schemas(name: str, schema: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return the name and schema of an output by media type; files are no JSON, and have none.

    One type for each: a client that asks for GeoJSON wants no union with whatever else there is.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for branch in alternatives(schema):
        if is_json(media_types(branch)[0]):
            found.setdefault(media_types(branch)[0], []).append(branch)
    names = [name, *(f"{name}.{number}" for number in range(2, len(found) + 1))]
    return {
        each: (own, for_openapi(_either(branches)))
        for own, (each, branches) in zip(names, found.items(), strict=False)
    }


def _either(branches: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return branches[0] if len(branches) == 1 else {"oneOf": branches}


def _hoisted(schema: Any, schemas: Node) -> Any:
    """Return a schema with each object inside it that has a title as a component of that name.

    Generators make classes of components; of what stands inside others they make bad names, or
    nothing.
    """
    if isinstance(schema, list):
        return [_hoisted(one, schemas) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _hoisted(value, schemas) for key, value in schema.items()}
    title = inner.get("title")
    if inner.get("type") != "object" or not isinstance(title, str) or not title.isidentifier():
        return inner
    # Generators make what has a default required, or write it into every request.
    inner["properties"] = {
        name: {key: value for key, value in one.items() if key != "default"}
        if isinstance(one, dict)
        else one
        for name, one in inner.get("properties", {}).items()
    }
    # Of two authors' schemas of one title the second stays where it stands.
    known = parts.SCHEMAS.get(title) or schemas.setdefault(title, inner)
    return ref("schemas", title) if known == inner else inner


def _execute_schema(description: Mapping[str, Any], schemas: Node, *, hrefs: bool) -> Node:
    inputs: Mapping[str, Any] = description.get("inputs", {})
    required = [name for name, declared in inputs.items() if declared.get("minOccurs", 1)]
    own = str(description["id"])
    schemas[f"{own}.inputs"] = {
        "type": "object",
        "properties": {
            name: _input_schema(f"{own}.inputs.{name}", declared, schemas, hrefs=hrefs)
            for name, declared in inputs.items()
        },
        "additionalProperties": False,
    } | ({"required": required} if required else {})
    schemas[f"{own}.outputRequests"] = {
        "type": "object",
        "properties": {
            name: ref("schemas", "outputRequest") for name in description.get("outputs", {})
        },
        "additionalProperties": False,
    }
    properties = parts.SCHEMAS["execute"]["properties"] | {
        "inputs": ref("schemas", f"{own}.inputs"),
        "outputs": ref("schemas", f"{own}.outputRequests"),
    }
    return {"type": "object", "properties": properties} | (
        {"required": ["inputs"]} if required else {}
    )


def _input_schema(name: str, declared: Mapping[str, Any], schemas: Node, *, hrefs: bool) -> Node:
    """Return what may stand for an input: the value, bare or qualified, or several of them."""
    value = _hoisted(for_openapi(declared.get("schema", {})), schemas)
    schemas[f"{name}.qualified"] = {
        "type": "object",
        "required": ["value"],
        "properties": {"value": value, "mediaType": {"type": "string"}},
    }
    references = [ref("schemas", "reference")] if hrefs else []
    choices = value["oneOf"] if value.keys() == {"oneOf"} else [value]
    schema: Node = {"anyOf": [*choices, ref("schemas", f"{name}.qualified"), *references]}
    if declared.get("maxOccurs", 1) != 1:
        schema = {"anyOf": [schema, {"type": "array", "items": schema}]}
    words = {key: declared[key] for key in ("title", "description") if key in declared}
    return words | schema
