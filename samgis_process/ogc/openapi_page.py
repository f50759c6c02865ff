"""An OpenAPI document in the order in which a page shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from samgis_process.ogc.schema_words import words

_NOT_IN_ANCHORS = re.compile(r"[^A-Za-z0-9]+")
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
Node = Mapping[str, Any]


def groups(document: Node) -> list[dict[str, Any]]:
    """Return the operations of each tag, in the order of the document's tags."""
    tags = {str(tag["name"]): str(tag.get("description", "")) for tag in document.get("tags", ())}
    operations = list(_operations(document))
    names = dict.fromkeys([*tags, *(one["tag"] for one in operations)])
    found = [
        {
            "name": name,
            "anchor": anchor(name),
            "description": tags.get(name, ""),
            "operations": [one for one in operations if one["tag"] == name],
        }
        for name in names
    ]
    return [group for group in found if group["operations"]]


def schemas(document: Node) -> list[tuple[str, str, Any]]:
    """Return the schemas that operations refer to: name, anchor, schema."""
    named = document.get("components", {}).get("schemas", {})
    return [(name, anchor(f"schema-{name}"), schema) for name, schema in named.items()]


def anchor(text: str) -> str:
    """Return a name that can stand in an address."""
    return _NOT_IN_ANCHORS.sub("-", text).strip("-")


def _operations(document: Node) -> Iterator[dict[str, Any]]:
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                shared = item.get("parameters", [])
                yield _operation(document, path, method, item[method], shared)


def _operation(
    document: Node, path: str, method: str, operation: Node, shared: list[Any]
) -> dict[str, Any]:
    parameters = [_resolved(document, one) for one in (*shared, *operation.get("parameters", ()))]
    body = _resolved(document, operation.get("requestBody", {}))
    answers = operation.get("responses", {})
    return {
        "tag": str((operation.get("tags") or ["others"])[0]),
        "method": method.upper(),
        "path": path,
        "anchor": anchor(f"{method}-{path}"),
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "needs_key": _needs_key(document, operation),
        "parameters": [{**one, "words": words(one.get("schema", {}))} for one in parameters],
        "body": _contents(body),
        "responses": [_response(document, status, one) for status, one in answers.items()],
        "callbacks": list(operation.get("callbacks", {})),
    }


def _needs_key(document: Node, operation: Node) -> bool:
    ways = operation.get("security", document.get("security", [{}]))
    return bool(ways) and {} not in ways


def _response(document: Node, status: Any, response: Node) -> dict[str, Any]:
    found = _resolved(document, response)
    return {
        "status": str(status),
        "description": found.get("description", ""),
        "headers": list(found.get("headers", {})),
        "contents": _contents(found),
    }


def _contents(node: Node) -> list[dict[str, Any]]:
    return [
        {
            "media_type": name,
            "schema": one.get("schema", {}),
            "words": "" if _has_parts(one.get("schema", {})) else words(one.get("schema", {})),
            "refers": [_steps(ref)[-1] for ref in _references(one.get("schema", {}))],
            "example": one.get("example"),
        }
        for name, one in node.get("content", {}).items()
    ]


def _has_parts(schema: Any) -> bool:
    parts = {"properties", "items", "allOf", "anyOf", "oneOf", "$ref"}
    return isinstance(schema, Mapping) and not parts.isdisjoint(schema)


def _references(schema: Any) -> list[str]:
    """Return the schemas that a schema is made of, if it is made of nothing else."""
    if not isinstance(schema, Mapping):
        return []
    if "$ref" in schema:
        return [str(schema["$ref"])]
    inner = [_references(one) for key in ("anyOf", "oneOf") for one in schema.get(key, ())]
    return [name for names in inner for name in names] if all(inner) else []


def _resolved(document: Node, node: Any) -> Node:
    """Return a node, or what it refers to inside the document."""
    if not isinstance(node, Mapping) or "$ref" not in node:
        return node or {}
    found: Any = document
    for step in _steps(str(node["$ref"])):
        found = found.get(step, {})
    return dict(found)


def _steps(reference: str) -> list[str]:
    """Return the names on the way to what is referred to (RFC 6901)."""
    steps = reference.removeprefix("#/").split("/")
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]
