"""Forms from descriptions."""

import pytest

from samgis_process.ogc.forms import answers, fields
from samgis_process.ogc.samples import example, sample
from samgis_process.ogc.schema_words import words

BBOX = {
    "allOf": [
        {"format": "ogc-bbox"},
        {"type": "object", "properties": {"bbox": {"type": "array", "items": {}}}},
    ]
}
PNG = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png; a=b"}
NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 2}


def field(schema, **declared):
    own = declared.pop("example", {})
    description = {"inputs": {"x": {"schema": schema, **declared}}, "example": {"inputs": own}}
    (one,) = fields(description)
    return one


@pytest.mark.parametrize(
    ("schema", "control"),
    [
        ({"type": "string"}, "text"),
        ({"type": "boolean"}, "switch"),
        ({"type": "integer"}, "number"),
        ({"type": ["number", "null"]}, "number"),
        ({"type": "string", "enum": ["a"]}, "choice"),
        ({"const": 7}, "choice"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "several"),
        (NUMBERS, "json"),
        ({"type": "object"}, "json"),
        ({}, "json"),
        (True, "json"),
        ({"oneOf": [{"type": "string"}, {"type": "object"}]}, "json"),
        (BBOX, "bbox"),
        ({"oneOf": [NUMBERS, BBOX]}, "bbox"),
        (PNG, "file"),
        ({"oneOf": [{"type": "object"}, PNG]}, "file"),
    ],
)
def test_the_control_follows_from_the_schema(schema, control):
    assert field(schema).control == control


def test_several_values_are_written_as_json_but_files_are_chosen():
    assert field({"type": "string"}, maxOccurs=3).control == "json"
    assert field(PNG, maxOccurs="unbounded").attributes == {
        "accept": "image/png", "multiple": "multiple",
    }  # fmt: skip


def test_numbers_have_bounds_and_steps():
    one = field({"type": "integer", "minimum": 0, "maximum": 9})
    assert one.attributes == {"min": "0", "max": "9", "step": "1"}
    assert one.limits == "at least 0, at most 9"
    assert field({"type": "number"}).attributes == {"step": "any"}


def test_the_example_stands_in_the_form():
    assert field({"type": "string"}, example={"x": "hi"}).value == "hi"
    assert field({"type": "number"}, example={"x": 0}).value == "0"
    assert field({"enum": [1, 2]}, example={"x": 2}).value == "2"
    assert field({"type": "boolean", "default": True}).value is True
    assert field(NUMBERS, example={"x": [1]}).value == "[\n  1\n]"
    assert field(BBOX, example={"x": {"bbox": [1, 2, 3, 4]}}).value == [
        ("West", 1), ("South", 2), ("East", 3), ("North", 4),
    ]  # fmt: skip
    assert field(PNG, example={"x": "iVBO"}).value == ""


def test_what_must_be_given_comes_first():
    inputs = {"a": {"schema": {}, "minOccurs": 0}, "b": {"schema": {}}}
    assert [one.name for one in fields({"inputs": inputs})] == ["b", "a"]
    assert fields({}) == []


def test_outputs_have_their_media_types():
    schema = {"oneOf": [{"type": "object"}, PNG]}
    (one,) = answers({"outputs": {"y": {"schema": schema}}})
    assert one.media_types == ("application/json", "image/png; a=b")


def test_a_description_without_example_gets_one():
    inputs = {
        "corner": {
            "schema": {
                "type": "object",
                "required": ["lat"],
                "properties": {"lat": {"type": "number", "minimum": -90}},
            }
        },
        "list": {"schema": NUMBERS},
        "free": {"schema": {"type": "string"}, "minOccurs": 0},
    }
    assert example({"inputs": inputs}) == {"inputs": {"corner": {"lat": -90}, "list": [1, 1]}}
    assert example({"inputs": inputs, "example": {"inputs": {}}}) == {"inputs": {}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "default": "d"}, "d"),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 0}, 0),
        ({"type": "boolean"}, False),
        ({"type": "string"}, "text"),
    ],
)
def test_samples(schema, value):
    assert sample(schema) == value


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({}, "any value"),
        ({"type": "string", "format": "date-time"}, "text (date-time)"),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, "a number, more than 0"),
        ({"type": "number", "exclusiveMaximum": 5}, "a number, less than 5"),
        ({"type": "number", "nullable": True}, "a number or null"),
        (NUMBERS, "an array of: a number, at least 2 items"),
        (BBOX, "a bounding box"),
        (PNG, "image/png; a=b in base64"),
        ({"enum": list(range(10))}, "0, 1, 2, 3, 4, 5, 6, 7 or 2 more"),
        ({"$ref": "#/components/schemas/link"}, "link"),
        ({"anyOf": [{"type": "integer"}, {"type": "object"}]}, "an integer or an object"),
    ],
)
def test_schemas_in_words(schema, text):
    assert words(schema) == text
