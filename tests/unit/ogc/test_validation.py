"""What is wrong with an input, in words for people."""

import time

import pytest

from samgis_process.ogc.validation import Inputs

CORNER = {
    "type": "object",
    "required": ["lat", "lng"],
    "properties": {"lat": {"oneOf": [{"type": "number"}, {"type": "string"}]}, "lng": {}},
}
BBOX = {
    "oneOf": [
        {
            "type": "object",
            "format": "ogc-bbox",
            "required": ["bbox"],
            "properties": {"bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4}},
        },
        {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        {
            "type": "object",
            "required": ["ne", "sw"],
            "properties": {"ne": CORNER, "sw": CORNER},
        },
    ]
}
PICTURE = {
    "oneOf": [
        {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
        {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/tiff"},
    ]
}


def check(schema, value, **declared):
    return Inputs({"x": {"schema": schema, **declared}}).check({"x": value})


def only_fault(schema, value, **declared):
    _, faults = check(schema, value, **declared)
    assert len(faults) == 1, faults
    return faults[0]


@pytest.mark.parametrize(
    ("schema", "value", "place", "message", "limit"),
    [
        ({"type": "number"}, "a", "x", '"a" is a string, not a number', "a number"),
        ({"type": "integer"}, True, "x", "true is true or false, not an integer", "an integer"),
        ({"type": ["string", "null"]}, 1, "x", "1 is an integer, not a string or null", None),
        ({"type": "number"}, None, "x", "null is null, not a number", "a number"),
        ({"minimum": 0}, -1, "x", "-1 is not at least 0", "at least 0"),
        ({"maximum": 1, "exclusiveMaximum": True}, 1, "x", "1 is not less than 1", None),
        ({"exclusiveMinimum": 1}, 1, "x", "1 is not more than 1", "more than 1"),
        ({"multipleOf": 2}, 3, "x", "3 is not a multiple of 2", None),
        ({"type": "string", "maxLength": 2}, "abc", "x", "has 3 characters", None),
        ({"type": "array", "minItems": 2}, [1], "x", "has 1 item", "at least 2 items"),
        ({"pattern": "^a$"}, "b", "x", '"b" does not match ^a$', "text that matches ^a$"),
        ({"uniqueItems": True}, [1, 1], "x", "[1,1] holds the same twice", "no repeats"),
        ({"format": "ipv4"}, "a", "x", '"a" is not a valid ipv4', "ipv4"),
        ({"not": {"type": "string"}}, "a", "x", '"a" does not do (not)', None),
        (CORNER, {"lat": 1}, "x.lng", "is missing", "required: lat, lng"),
        ({"items": CORNER}, [{"lat": 1, "lng": 1}, {"lng": 1}], "x[1].lat", "is missing", None),
        (
            {"items": {"type": "number"}},
            [1, "b c"],
            "x[1]",
            '"b c" is a string, not a number',
            None,
        ),
        (BBOX, "1,2,3,4", "x", '"1,2,3,4" is a string, not an object or an array', None),
        (BBOX, [1, 2, 3], "x", "has 3 items", "at least 4 items"),
        (BBOX, [1, 2, 3, "4"], "x[3]", '"4" is a string, not a number', None),
        (BBOX, {"bbox": [1, 2, 3]}, "x.bbox", "has 3 items", "at least 4 items"),
        (BBOX, {"ne": {"lat": 1, "lng": 2}}, "x.sw", "is missing", "required: ne, sw"),
        (
            BBOX,
            {"ne": {"lat": 1, "lng": 2}, "sw": {"lat": [], "lng": 2}},
            "x.sw.lat",
            "[] is an array, not a number or a string",
            "a number or a string",
        ),
        ({"type": "number", "nullable": True}, "a", "x", None, "null or a number"),
    ],
)
def test_faults_are_placed_and_explained(schema, value, place, message, limit):
    fault = only_fault(schema, value)
    assert fault.input == place
    assert message in {None, fault.message}
    assert limit in {None, fault.limit}


def test_the_likely_value_of_a_choice_is_suggested():
    fault = only_fault({"enum": ["smooth", "pixel", 1]}, "smoth")
    assert fault.limit == '"smooth", "pixel" or 1'
    assert fault.remedy == "Did you mean smooth?"


def test_a_tag_that_fits_no_alternative_lists_those_of_all():
    shapes = [
        {"type": "object", "properties": {"type": {"enum": [name]}}, "required": ["type", name]}
        for name in ("point", "rectangle")
    ]
    fault = only_fault({"oneOf": shapes}, {"type": "rectangel"})
    assert (fault.input, fault.limit) == ("x.type", '"point" or "rectangle"')
    assert fault.remedy == "Did you mean rectangle?"
    fault = only_fault({"oneOf": shapes}, {"type": "rectangle"})
    assert (fault.input, fault.message) == ("x.rectangle", "is missing")


def test_a_misspelt_member_is_pointed_out():
    closed = {**CORNER, "additionalProperties": False}
    _, faults = check(closed, {"lat": 1, "lgn": 2})
    assert {(fault.input, fault.remedy) for fault in faults} == {
        ("x.lng", "Spell it lng."),
        ("x.lgn", "Did you mean lng?"),
    }


def test_messages_stay_short_whatever_comes():
    for value in ("a" * 10**6, list(range(10**5)), {"k" * 1000: 1}):
        fault = only_fault({"type": "number"}, value)
        assert len(fault.message) < 130
    fault = only_fault({"additionalProperties": False}, {"k" * 1000: 1})
    assert len(fault.input) < 100


def test_a_list_full_of_faults_is_cut():
    _, faults = check({"items": {"type": "number"}}, ["a"] * 1000)
    assert len(faults) == 21


def test_many_faults_cost_little_time():
    inputs = Inputs(
        {
            "x": {"schema": {"oneOf": [{"type": "array", "items": CORNER}, CORNER]}},
            "short": {"schema": {"type": "array", "items": {"type": "string"}, "maxItems": 3}},
            "tags": {"schema": {"type": "string"}, "maxOccurs": 3},
            "name": {"schema": {}},
        }
    )
    begun = time.perf_counter()
    many = [1] * 300_000
    strange = {f"nam{number}": 1 for number in range(100_000)}
    _, faults = inputs.check({"x": many, "short": many, "tags": many, **strange})
    assert time.perf_counter() - begun < 2
    assert len(faults) < 100
    assert {f.limit for f in faults if f.input in {"short", "tags"}} == {
        "at most 3 items",
        "1 to 3 values",
    }


def test_deep_values_are_refused_not_survived_by_luck():
    schema = {"$defs": {"t": {"items": {"$ref": "#/$defs/t"}}}, "$ref": "#/$defs/t"}
    value = []
    for _ in range(900):
        value = [value]
    assert only_fault(schema, value).message == "is nested too deeply"


def test_alternatives_may_overlap():
    assert check(PICTURE, "aGk=") == ({"x": "aGk="}, [])


def test_null_passes_where_it_means_something():
    assert check({"type": "number", "nullable": True}, None) == ({"x": None}, [])


@pytest.mark.parametrize(
    "wrapping",
    [{}, {"mediaType": "application/geo+json"}, {"format": {"mediaType": "application/json"}}],
)
def test_qualified_values_are_unwrapped(wrapping):
    value = {"lat": 1, "lng": 2}
    assert check(CORNER, {"value": value, **wrapping}) == ({"x": value}, [])


def test_faults_inside_a_qualified_value_say_so():
    assert only_fault(CORNER, {"value": {"lat": 1}}).input == "x.value.lng"


def test_the_media_type_of_a_qualified_value_counts():
    good = {"value": "aGk=", "mediaType": "image/tiff", "encoding": "base64"}
    assert check(PICTURE, good) == ({"x": "aGk="}, [])
    fault = only_fault(PICTURE, {"value": "aGk=", "mediaType": "image/gif"})
    assert (fault.input, fault.limit) == ("x.mediaType", "image/png, image/tiff")
    assert only_fault(CORNER, {"value": {}, "mediaType": "text/xml"}).input == "x.mediaType"


def test_an_object_with_a_member_value_is_not_unwrapped():
    schema = {"type": "object", "properties": {"value": {"type": "number"}}}
    assert check(schema, {"value": 1}) == ({"x": {"value": 1}}, [])


def test_references_are_refused():
    fault = only_fault({}, {"href": "http://127.0.0.1/a.tif", "type": "image/tiff"})
    assert "href" in fault.message


def test_an_input_that_may_repeat_takes_one_or_a_list():
    text = {"type": "string"}
    assert check(text, "a", maxOccurs=3)[0] == {"x": ["a"]}
    assert check(text, ["a", "b"], maxOccurs="unbounded")[0] == {"x": ["a", "b"]}
    assert only_fault(text, ["a"] * 4, maxOccurs=3).limit == "1 to 3 values"
    assert only_fault(text, ["a", 1], maxOccurs=3).input == "x[1]"
    pair = {"type": "array", "items": {"type": "number"}}
    assert check(pair, [1, 2], maxOccurs=2)[0] == {"x": [[1, 2]]}
    assert check(pair, [[1, 2], [3]], maxOccurs=2)[0] == {"x": [[1, 2], [3]]}


def test_unknown_and_missing_inputs_are_named():
    inputs = Inputs({"bbox": {"schema": {}}, "zoom": {"schema": {}, "minOccurs": 0}})
    _, faults = inputs.check({"bbx": 1, "frobnicate": 2})
    by_input = {fault.input: fault for fault in faults}
    assert by_input["bbx"].remedy == "Did you mean bbox?"
    assert by_input["frobnicate"].remedy == "Leave it out."
    assert by_input["frobnicate"].limit == "known: bbox, zoom"
    assert by_input["bbox"].message == "is missing"
    assert by_input["bbox"].remedy == "Spell it bbox."
    assert "zoom" not in by_input


@pytest.mark.parametrize(
    ("moment", "good"),
    [
        ("2026-03-01T12:00:00Z", True),
        ("2026-03-01t12:00:00.123456+01:00", True),
        ("2026-03-01T12:00:00", False),
        ("2026-03-01", False),
        ("2026-02-30T12:00:00Z", False),
        ("soon", False),
    ],
)
def test_a_moment_is_one_of_rfc_3339(moment, good):
    _, faults = check({"type": "string", "format": "date-time"}, moment)
    assert (not faults) == good, faults
