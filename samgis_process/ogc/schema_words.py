"""Schemas in a few words for people: what sort of value, within which bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from samgis_process.ogc.schemas import alternatives
from samgis_process.ogc.wording import counted, kinds, one_of, shown

Schema = Mapping[str, Any]
MOST_VALUES = 8  # of an enumeration
_BOUNDS = {
    "exclusiveMinimum": "more than",
    "minimum": "at least",
    "exclusiveMaximum": "less than",
    "maximum": "at most",
    "multipleOf": "a multiple of",
}
_SIZES = {
    "minItems": ("at least", "item"),
    "maxItems": ("at most", "item"),
    "minLength": ("at least", "character"),
    "maxLength": ("at most", "character"),
}


def merged(schema: Schema) -> dict[str, Any]:
    """Return the schema with the members of its `allOf` beside its own."""
    found: dict[str, Any] = {}
    for part in schema.get("allOf", ()):
        found |= merged(part)
    return found | {key: value for key, value in schema.items() if key != "allOf"}


def branches(schema: Any) -> list[dict[str, Any]]:
    """Return the alternatives of a schema, each merged."""
    return [
        merged(one) for one in alternatives(merged(schema if isinstance(schema, Mapping) else {}))
    ]


def words(schema: Any) -> str:
    """Return what a value must be."""
    return one_of(_branch(one) for one in branches(schema))


def type_of(schema: Schema) -> str:
    """Return the type of a value; "" where there are several, null apart, or none."""
    types = schema.get("type", "")
    names = [types] if isinstance(types, str) else [name for name in types if name != "null"]
    return str(names[0]) if len(names) == 1 else ""


def limits(schema: Schema) -> str:
    """Return the bounds of a value, or nothing."""
    return ", ".join(_limits(schema))


def is_file(schema: Schema) -> bool:
    """Return whether a value is the content of a file, as text."""
    return "contentEncoding" in schema or schema.get("format") in {"byte", "binary"}


def bbox_of(schema: Schema) -> Schema | None:
    """Return the schema of the four numbers of a bounding box, if it is one."""
    inner = schema.get("properties", {}).get("bbox")
    if inner is not None:
        return merged(inner)
    is_list = schema.get("type") == "array" and str(schema.get("format", "")).endswith("bbox")
    return schema if is_list else None


def _branch(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema or "enum" in schema:
        return _choice(schema)
    if is_file(schema):
        encoding = " in base64" if schema.get("contentEncoding") == "base64" else ""
        return f"{schema.get('contentMediaType', 'a file')}{encoding}"
    if bbox_of(schema) is not None:
        return "a bounding box"
    text = _kind(schema)
    return ", ".join([text, *_limits(schema)])


def _choice(schema: Schema) -> str:
    values = schema.get("enum", [schema.get("const")])
    more = [f"{len(values) - MOST_VALUES} more"] if len(values) > MOST_VALUES else []
    return one_of([*(shown(value) for value in values[:MOST_VALUES]), *more])


def _kind(schema: Schema) -> str:
    if "contentMediaType" in schema:
        return str(schema["contentMediaType"])
    if "format" in schema and schema.get("type") == "string":
        return f"text ({schema['format']})"
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        inner = words(schema["items"])
        return "an array" if inner == "any value" else f"an array of: {inner}"
    if "type" not in schema:
        return "any value"
    null = " or null" if schema.get("nullable") else ""
    return kinds(schema["type"]).replace("a string", "text") + null


def _limits(schema: Schema) -> Iterator[str]:
    strict = {key for key in ("exclusiveMinimum", "exclusiveMaximum") if schema.get(key) is True}
    for key, text in _BOUNDS.items():
        if key in schema and not isinstance(schema[key], bool):
            exclusive = f"exclusive{key[:1].upper()}{key[1:]}"
            yield f"{_BOUNDS[exclusive] if exclusive in strict else text} {shown(schema[key])}"
    for key, (text, unit) in _SIZES.items():
        if key in schema:
            yield f"{text} {counted(schema[key], unit)}"
