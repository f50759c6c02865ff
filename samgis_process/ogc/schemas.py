"""The schemas of descriptions: OpenAPI 3.0's dialect with the standard's additions.

Two readers want them otherwise: the validator speaks JSON Schema 2020-12, and the OpenAPI document
may hold no keyword that OpenAPI 3.0 does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from samgis_process.ogc.negotiation import JSON

Schema = dict[str, Any]
# Beside what is published, a schema of what is taken: clients that are generated want one type
# where people's tables have several.
PARSED = "x-parsed"

_ONE = ("not", "items", "additionalProperties", "contains", "propertyNames", "if", "then", "else")
_MANY = ("oneOf", "anyOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs")
_OAS_WORDS = """
    title multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength
    pattern maxItems minItems uniqueItems maxProperties minProperties required enum type not
    allOf oneOf anyOf items properties additionalProperties description format default
    nullable readOnly writeOnly example externalDocs deprecated
"""
_OAS_KEYWORDS = frozenset(_OAS_WORDS.split())


def _map(schema: Any, change: Callable[[Schema], Schema]) -> Any:
    """Return `schema` with `change` applied to it and to each schema inside it, inner first."""
    if not isinstance(schema, Mapping):  # True and False are schemas too
        return schema
    result = dict(schema)
    for key in schema.keys() & set(_ONE):
        result[key] = _map(schema[key], change)
    for key in schema.keys() & set(_MANY):
        result[key] = [_map(item, change) for item in schema[key]]
    for key in schema.keys() & set(_NAMED):
        result[key] = {name: _map(item, change) for name, item in schema[key].items()}
    return change(result)


def for_validation(schema: Any) -> Any:
    """Return the schema in JSON Schema 2020-12.

    `oneOf` becomes `anyOf`: in a description it lists alternatives, and a base64 string that fits
    two of them, told apart by their media types only, is no mistake of the client.
    """
    return _map(schema, _to_2020)


def _to_2020(schema: Schema) -> Schema:
    if PARSED in schema:  # the process takes more than it tells
        return dict(_map(schema[PARSED], _to_2020))
    for key, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(key) is True:
            schema[key] = schema.pop(bound)
        elif schema.get(key) is False:
            del schema[key]
    if "oneOf" in schema:
        alternatives = {"anyOf": schema.pop("oneOf")}
        schema = (
            {**schema, "allOf": [*schema.get("allOf", []), alternatives]}
            if "anyOf" in schema
            else {**schema, **alternatives}
        )
    if schema.pop("nullable", False):
        return {"anyOf": [{"type": "null"}, schema]}
    return schema


def for_people(schema: Any) -> Any:
    """Return the schema as descriptions show it."""
    return _map(schema, lambda one: {k: v for k, v in one.items() if k != PARSED})


def for_openapi(schema: Any) -> Any:
    """Return the schema with the keywords of OpenAPI 3.0 only."""
    return _map(schema, _to_oas30)


def _to_oas30(schema: Schema) -> Schema:
    for key, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if not isinstance(schema.get(key, True), bool):
            schema |= {bound: schema[key], key: True}
    if "const" in schema:
        schema["enum"] = [schema["const"]]
    if schema.get("examples") and "example" not in schema:
        schema["example"] = schema["examples"][0]
    if "prefixItems" in schema and "items" not in schema:
        schema["items"] = {"anyOf": schema["prefixItems"]}
    if schema.get("type") == "array":
        schema.setdefault("items", {})
    if schema.get("type") == "string" and "contentEncoding" in schema:
        schema["format"] = "byte" if schema["contentEncoding"] == "base64" else "binary"
    schema = _with_one_type(schema)
    known = {key: value for key, value in schema.items() if key in _OAS_KEYWORDS}
    ours = {key: value for key, value in schema.items() if key.startswith("x-")}
    return known | {key: value for key, value in ours.items() if key != PARSED}


def _with_one_type(schema: Schema) -> Schema:
    types = schema.get("type")
    if types == "null":
        return {"nullable": True, "enum": [None]}
    if not isinstance(types, list):
        return schema
    nullable = {"nullable": True} if "null" in types else {}
    names = [name for name in types if name != "null"]
    if len(names) == 1:
        return {**schema, "type": names[0], **nullable}
    rest = {key: value for key, value in schema.items() if key != "type"}
    return {**rest, "anyOf": [_with_items({"type": name, **nullable}) for name in names]}


def _with_items(schema: Schema) -> Schema:
    return {**schema, "items": {}} if schema["type"] == "array" else schema


def media_types(schema: Mapping[str, Any]) -> list[str]:
    """Return the media types of an output's schema, the default first."""
    return list(dict.fromkeys(_media_type(branch) for branch in alternatives(schema)))


def alternatives(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the branches of a mixed schema, or the schema itself."""
    return list(schema.get("oneOf") or schema.get("anyOf") or [schema])


def _media_type(schema: Mapping[str, Any]) -> str:
    formats = [schema.get("format"), *(part.get("format") for part in schema.get("allOf", ()))]
    geojson = any(str(name).startswith("geojson-") for name in formats)
    return str(schema.get("contentMediaType") or ("application/geo+json" if geojson else JSON))
