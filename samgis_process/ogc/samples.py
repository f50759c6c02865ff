"""Examples of requests, made of schemas where a description has none of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from samgis_process.ogc.schema_words import branches, type_of

Schema = Mapping[str, Any]


def example(description: Schema) -> dict[str, Any]:
    """Return an execute request: the description's own, or one with what must be given."""
    own = description.get("example")
    if isinstance(own, Mapping) and isinstance(own.get("inputs"), Mapping):
        return dict(own)
    required = {
        name: declared.get("schema", {})
        for name, declared in description.get("inputs", {}).items()
        if declared.get("minOccurs", 1)
    }
    return {"inputs": {name: sample(schema) for name, schema in required.items()}}


def sample(schema: Any) -> Any:
    """Return a value that looks like what the schema asks for."""
    first = branches(schema)[0]
    listed = [first[key][0] for key in ("examples", "enum") if first.get(key)]
    known = [first[key] for key in ("example", "default", "const") if key in first] + listed
    return known[0] if known else _BY_TYPE.get(type_of(first), _text)(first)


def _object(schema: Schema) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {name: sample(properties.get(name, {})) for name in schema.get("required", ())}


def _array(schema: Schema) -> list[Any]:
    return [sample(schema.get("items", {}))] * max(schema.get("minItems", 1), 1)


def _number(schema: Schema) -> Any:
    return schema.get("minimum", 1)


def _text(_schema: Schema) -> str:
    return "text"


_BY_TYPE: dict[str, Callable[[Schema], Any]] = {
    "object": _object,
    "array": _array,
    "integer": _number,
    "number": _number,
    "boolean": lambda _: False,
}
