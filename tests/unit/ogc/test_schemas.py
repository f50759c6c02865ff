"""Schemas of descriptions for their two readers, and the document made of them."""

import json
from types import SimpleNamespace

from jsonschema import Draft202012Validator

from samgis_process.ogc import openapi
from samgis_process.ogc.schemas import for_openapi, for_validation, media_types


def test_openapi_gets_no_keyword_it_does_not_know():
    schema = {
        "$schema": "x",
        "type": "object",
        "properties": {
            "const": {"const": "a"},
            "file": {"type": "string", "contentEncoding": "base64", "contentMediaType": "a/b"},
            "size": {"type": ["number", "null"], "exclusiveMinimum": 0, "examples": [1]},
            "many": {"type": "array", "prefixItems": [{"type": "number"}]},
        },
    }
    assert for_openapi(schema) == {
        "type": "object",
        "properties": {
            "const": {"enum": ["a"]},
            "file": {"type": "string", "format": "byte"},
            "size": {
                "type": "number",
                "nullable": True,
                "minimum": 0,
                "exclusiveMinimum": True,
                "example": 1,
            },
            "many": {"type": "array", "items": {"anyOf": [{"type": "number"}]}},
        },
    }


def test_a_schema_is_not_changed():
    schema = {"oneOf": [{"type": "number", "minimum": 0, "exclusiveMinimum": True}]}
    before = json.dumps(schema)
    for_openapi(schema)
    for_validation(schema)
    assert json.dumps(schema) == before


def test_nullable_is_understood():
    validator = Draft202012Validator(for_validation({"enum": ["a"], "nullable": True}))
    assert validator.is_valid(None)
    assert not validator.is_valid("b")


def test_media_types_of_outputs():
    assert media_types({"type": "integer"}) == ["application/json"]
    geojson = {"allOf": [{"format": "geojson-feature-collection"}, {"type": "object"}]}
    assert media_types(geojson) == ["application/geo+json"]
    mixed = {"oneOf": [geojson, {"type": "string", "contentMediaType": "image/png"}]}
    assert media_types(mixed) == ["application/geo+json", "image/png"]


def test_each_process_has_its_path_and_schemas():
    description = {
        "id": "p",
        "version": "1",
        "inputs": {"a": {"schema": {"type": "number"}}, "b": {"schema": {}, "minOccurs": 0}},
        "outputs": {"o": {"schema": {"type": "string", "contentMediaType": "image/png"}}},
    }
    process = SimpleNamespace(description=description)
    document = openapi.document([process], {"title": "t", "version": "1"})
    inputs = document["components"]["schemas"]["p.inputs"]
    assert inputs["required"] == ["a"]
    assert inputs["additionalProperties"] is False
    answer = document["paths"]["/processes/p/execution"]["post"]["responses"]["200"]["content"]
    assert answer["image/png"]["schema"]["format"] == "binary"


def test_two_authors_may_use_one_title():
    """A process of somebody else must not keep the document from being made."""

    def process(name, *properties):
        schema = {
            "title": "Point",
            "type": "object",
            "properties": {key: {"type": "number"} for key in properties} | {"any": True},
        }
        return SimpleNamespace(description={"id": name, "inputs": {"at": {"schema": schema}}})

    ours, theirs, link = process("a", "x"), process("b", "y"), process("c", "z")
    link.description["inputs"]["at"]["schema"]["title"] = "link"
    document = openapi.document([ours, theirs, link], {"title": "t", "version": "1"})
    schemas = document["components"]["schemas"]
    assert schemas["a.inputs"]["properties"]["at"]["anyOf"][0] == {
        "$ref": "#/components/schemas/Point"
    }
    assert "y" in schemas["b.inputs"]["properties"]["at"]["anyOf"][0]["properties"]
    assert "href" in schemas["link"]["properties"]
