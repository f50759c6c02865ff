"""The essentials of the standard's schemas (18-062r2), as JSON Schema, strict and complete."""

import re

from jsonschema import Draft202012Validator, FormatChecker

EX = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"

_FORMATS = FormatChecker()
_MOMENT = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"
_FORMATS.checks("date-time")(lambda text: bool(re.fullmatch(_MOMENT, str(text))))
_FORMATS.checks("uri")(lambda text: bool(re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+$", str(text))))


def _object(*required, **properties):
    return {"type": "object", "required": list(required), "properties": properties}


def _list(items, **more):
    return {"type": "array", "items": items, **more}


TEXT, MOMENT = {"type": "string"}, {"type": "string", "format": "date-time"}
LINK = _object("href", href=TEXT, rel=TEXT, type=TEXT, hreflang=TEXT, title=TEXT)
LINKS = _list(LINK)
LANDING_PAGE = _object("links", title=TEXT, description=TEXT, links=LINKS)
CONF_CLASSES = _object("conformsTo", conformsTo=_list(TEXT))
_CONTROL = {"enum": ["sync-execute", "async-execute", "dismiss"]}
SUMMARY = _object(
    "id",
    "version",
    id=TEXT,
    version=TEXT,
    title=TEXT,
    description=TEXT,
    keywords=_list(TEXT),
    jobControlOptions=_list(_CONTROL),
    outputTransmission=_list({"enum": ["value", "reference"]}),
    links=LINKS,
)
PROCESS_LIST = _object("processes", "links", processes=_list(SUMMARY), links=LINKS)

# A schema in the dialect of OpenAPI 3.0: one type, booleans for exclusive bounds, no null.
_SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"enum": ["array", "boolean", "integer", "number", "object", "string"]},
        "format": TEXT,
        "nullable": {"type": "boolean"},
        "enum": {"type": "array", "minItems": 1},
        "required": _list(TEXT, minItems=1),
        "minimum": {"type": "number"},
        "maximum": {"type": "number"},
        "exclusiveMinimum": {"type": "boolean"},
        "exclusiveMaximum": {"type": "boolean"},
        "contentMediaType": TEXT,
        "contentEncoding": TEXT,
        "items": {"$ref": "#/$defs/schema"},
        **{key: _list({"$ref": "#/$defs/schema"}) for key in ("oneOf", "anyOf", "allOf")},
        "properties": {"type": "object", "additionalProperties": {"$ref": "#/$defs/schema"}},
    },
    "if": {"properties": {"type": {"const": "array"}}, "required": ["type"]},
    "then": {"required": ["items"]},
}
_INPUT = _object(
    "schema",
    title=TEXT,
    description=TEXT,
    schema={"$ref": "#/$defs/schema"},
    minOccurs={"type": "integer", "minimum": 0},
    maxOccurs={"oneOf": [{"type": "integer", "minimum": 1}, {"const": "unbounded"}]},
)
_OUTPUT = _object("schema", title=TEXT, description=TEXT, schema={"$ref": "#/$defs/schema"})
PROCESS = {
    "$defs": {"schema": _SCHEMA},
    "allOf": [
        SUMMARY,
        _object(
            "inputs",
            "outputs",
            inputs={"type": "object", "additionalProperties": _INPUT},
            outputs={"type": "object", "additionalProperties": _OUTPUT},
        ),
    ],
}
STATUS_INFO = _object(
    "jobID",
    "type",
    "status",
    "processID",  # mandatory once the filter of this name is there
    jobID=TEXT,
    processID=TEXT,
    type={"const": "process"},
    status={"enum": ["accepted", "running", "successful", "failed", "dismissed"]},
    message=TEXT,
    progress={"type": "integer", "minimum": 0, "maximum": 100},
    created=MOMENT,
    started=MOMENT,
    finished=MOMENT,
    updated=MOMENT,
    links=LINKS,
)
JOB_LIST = _object("jobs", "links", jobs=_list(STATUS_INFO), links=LINKS)
EXCEPTION = _object(
    "type",
    type={"type": "string", "format": "uri"},
    title=TEXT,
    status={"type": "integer"},
    detail=TEXT,
    instance={"type": "string", "format": "uri"},
)
_FORMAT = {"mediaType": TEXT, "encoding": TEXT, "schema": {"type": ["string", "object"]}}
_BBOX = _object("bbox", bbox=_list({"type": "number"}, minItems=4, maxItems=6), crs=TEXT)
_BARE = {"type": ["string", "number", "integer", "boolean", "array"]}
_QUALIFIED = {
    **_object("value", value={"anyOf": [_BARE, {"type": "object"}]}, **_FORMAT),
    "additionalProperties": False,
}
RESULTS = {
    "type": "object",
    "additionalProperties": {"oneOf": [_BARE, _BBOX, _QUALIFIED, LINK]},
}


def check(value, schema):
    """Assert that a value fits; says where it does not."""
    found = Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(value)
    wrong = [f"{error.json_path}: {error.message[:300]}" for error in found]
    assert not wrong, wrong
    return value
