"""The parts of the OpenAPI document that do not depend on the processes."""

from __future__ import annotations

from typing import Any

from samgis_process.ogc.jobs import STATES
from samgis_process.ogc.negotiation import HTML, JSON
from samgis_process.ogc.subscriber import FAILED, IN_PROGRESS, SUCCESS, URIS

Node = dict[str, Any]


def ref(kind: str, name: str) -> Node:
    """Return a reference to a component of this document."""
    return {"$ref": f"#/components/{kind}/{name}"}


def content(schema: Node, *media_types: str, page: bool = True) -> Node:
    """Return the `content` of a response that is also there as a page."""
    pages = {HTML: {"schema": {"type": "string"}}} if page else {}
    return {name: {"schema": schema} for name in media_types or (JSON,)} | pages


def _object(required: list[str], **properties: Node) -> Node:
    named = {"required": required} if required else {}  # OpenAPI allows no empty list
    return {"type": "object", **named, "properties": properties}


def _list(item: Node) -> Node:
    return {"type": "array", "items": item}


JOB_TIMES = ("created", "started", "finished", "updated")
_TEXT: Node = {"type": "string"}
_URI: Node = {"type": "string", "format": "uri"}

SCHEMAS: Node = {
    "link": _object(
        ["href", "rel"], href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT, hreflang=_TEXT
    ),
    "reference": _object(["href"], href=_URI, type=_TEXT),
    "landingPage": _object(
        ["links"], title=_TEXT, description=_TEXT, links=_list(ref("schemas", "link"))
    ),
    "confClasses": _object(["conformsTo"], conformsTo=_list(_TEXT)),
    "processSummary": _object(
        ["id", "version"],
        id=_TEXT,
        version=_TEXT,
        title=_TEXT,
        description=_TEXT,
        keywords=_list(_TEXT),
        jobControlOptions=_list(
            {"type": "string", "enum": ["sync-execute", "async-execute", "dismiss"]}
        ),
        outputTransmission=_list({"type": "string", "enum": ["value", "reference"]}),
        links=_list(ref("schemas", "link")),
    ),
    "processList": _object(
        ["processes", "links"],
        processes=_list(ref("schemas", "processSummary")),
        links=_list(ref("schemas", "link")),
    ),
    "process": {
        "allOf": [
            ref("schemas", "processSummary"),
            {
                "type": "object",
                "properties": {
                    "inputs": {"type": "object", "additionalProperties": {"type": "object"}},
                    "outputs": {"type": "object", "additionalProperties": {"type": "object"}},
                },
            },
        ]
    },
    "outputRequest": _object(
        [],
        transmissionMode={"type": "string", "enum": ["value", "reference"]},
        format=ref("schemas", "outputFormat"),
    ),
    "outputFormat": _object([], mediaType=_TEXT),
    "execute": _object(
        [],
        inputs={"type": "object"},
        outputs={
            "type": "object",
            "additionalProperties": ref("schemas", "outputRequest"),
        },
        response={"type": "string", "enum": ["raw", "document"]},
        subscriber=ref("schemas", "subscriber"),
    ),
    "subscriber": _object([], **dict.fromkeys(URIS, _URI))
    | {"description": "Addresses that are called about a job."},
    "results": {
        "type": "object",
        "description": "Outputs by id; objects and files are qualified by their media type.",
        "additionalProperties": {},
    },
    "problem": _object(
        ["type"],
        type=_URI,
        title=_TEXT,
        status={"type": "integer"},
        detail=_TEXT,
        instance=_URI,
        errors=_list(
            _object(["input", "message"], input=_TEXT, message=_TEXT, limit=_TEXT, remedy=_TEXT)
        ),
    ),
    "statusInfo": _object(
        ["jobID", "type", "status"],
        jobID={"type": "string", "format": "uuid"},
        processID=_TEXT,
        type={"type": "string", "enum": ["process"]},
        status={"type": "string", "enum": list(STATES)},
        message=_TEXT,
        progress={"type": "integer", "minimum": 0, "maximum": 100},
        **{name: {"type": "string", "format": "date-time"} for name in JOB_TIMES},
        links=_list(ref("schemas", "link")),
    ),
    "jobList": _object(
        ["jobs", "links"],
        jobs=_list(ref("schemas", "statusInfo")),
        links=_list(ref("schemas", "link")),
    ),
    "health": _object(["status", "version"], status=_TEXT, version=_TEXT),
}

PARAMETERS: Node = {
    "f": {
        "name": "f",
        "in": "query",
        "description": "The representation; outweighs the Accept header.",
        "schema": {"type": "string", "enum": ["json", "html"]},
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "description": "The most processes to list.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10},
    },
    "offset": {
        "name": "offset",
        "in": "query",
        "description": "How many processes to skip first.",
        "schema": {"type": "integer", "minimum": 0, "default": 0},
    },
    "processID": {
        "name": "processID",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    },
    "prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "Preferences (RFC 7240): `respond-async` makes a job, `wait=10` makes one "
        "that is waited for so many seconds; `return=minimal` sends links instead of large "
        "outputs. Those that this server does not know are ignored.",
        "schema": {"type": "string"},
    },
    "range": {
        "name": "Range",
        "in": "header",
        "description": "The bytes wanted of a file.",
        "schema": {"type": "string"},
    },
    "jobID": {
        "name": "jobID",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    },
    "outputID": {
        "name": "outputID",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    },
    "outputs": {
        "name": "outputs",
        "in": "query",
        "description": "The outputs wanted, with commas between them; all by default.",
        "schema": _list(_TEXT),
        "style": "form",
        "explode": False,
    },
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": "Where the page begins; comes with the link `next` of the page before.",
        "schema": {"type": "string"},
    },
    **{
        name: {
            "name": name,
            "in": "query",
            "description": description,
            "schema": _list(item),
            "style": "form",
            "explode": False,
        }
        for name, description, item in (
            ("type", "Jobs of these types.", {"type": "string", "enum": ["process"]}),
            ("processIDs", "Jobs of these processes.", _TEXT),
            ("status", "Jobs in these states.", {"type": "string", "enum": list(STATES)}),
        )
    },
    "datetime": {
        "name": "datetime",
        "in": "query",
        "description": "Jobs made at this instant, or in this interval, which `..` leaves open.",
        "schema": {"type": "string"},
    },
    **{
        name: {
            "name": name,
            "in": "query",
            "description": f"Jobs that ran, or have been running, {words} seconds.",
            "schema": {"type": "number", "minimum": 0},
        }
        for name, words in (
            ("minDuration", "at least so many"),
            ("maxDuration", "at most so many"),
        )
    },
}
PARAMETERS["processIDs"]["name"] = "processID"

_RETRY = {
    "Retry-After": {
        "description": "Seconds after which another try makes sense.",
        "schema": {"type": "integer"},
    }
}


_LINK = {
    "Link": {
        "description": "Where each output lies that was to go by reference: `rel=item`, with the "
        "output's id as `title`.",
        "schema": {"type": "string"},
    }
}
NO_CONTENT: Node = {
    "description": "It ran; no output was asked for, or all of them by reference.",
    "headers": _LINK,
}


def file_answers(description: str, *media_types: str) -> Node:
    """Return the answers of a file that is read in ranges of bytes, too."""
    files = {each: {"schema": {"type": "string", "format": "binary"}} for each in media_types}
    return {
        "200": {"description": description, "content": files},
        "206": {"description": "The bytes asked for.", "content": files},
        "304": {"description": "The client has it."},
        "416": {"description": "There are no such bytes."},
    }


def _problem(description: str) -> Node:
    media_types = (JSON, "application/problem+json")
    return {
        "description": description,
        "content": content(ref("schemas", "problem"), *media_types),
    }


RESPONSES: Node = {
    "BadRequest": _problem("Something in the request is wrong; `errors` says what."),
    "NotSignedIn": _problem("The request does not say who sends it, or not rightly.")
    | {"headers": {"WWW-Authenticate": {"description": "How to say it.", "schema": _TEXT}}},
    "NotAllowed": _problem("It is not for whoever asks."),
    "TooManyRequests": _problem("The client has asked too often.") | {"headers": _RETRY},
    "NotFound": _problem("There is no such thing."),
    "JobFailed": _problem("The job failed: this is the problem that ended it."),
    "Gone": _problem("The job was dismissed."),
    "NotAcceptable": _problem("The output is not offered in this media type."),
    "TooLarge": _problem("The body is too large."),
    "NotJson": _problem("The body is said not to be JSON."),
    "ServerError": _problem("The server made a mistake; its log knows it by `instance`."),
    "SourceUnavailable": _problem("A source is not available."),
    "Unavailable": _problem("Too much work is waiting, or a model is missing.")
    | {"headers": _RETRY},
    "SourceTimeout": _problem("A source did not answer in time."),
}


def _callback(uri: str, summary: str, schema: str) -> Node:
    taken = {"description": "Taken; any status from 200 to 299 will do."}
    body = {"required": True, "content": content(ref("schemas", schema), page=False)}
    operation = {
        "summary": summary,
        "requestBody": body,
        "responses": {"202": taken, "default": {"description": "Tried again, or given up."}},
    }
    return {f"{{$request.body#/subscriber/{uri}}}": {"post": operation}}


CALLBACKS: Node = {
    "successful": _callback(SUCCESS, "The results of the job", "results"),
    "inProgress": _callback(IN_PROGRESS, "Work began or moved", "statusInfo"),
    "failed": _callback(FAILED, "The job failed", "statusInfo"),
}


def responses(**names: str) -> Node:
    """Return references to responses by status, as in `s404="NotFound"`."""
    return {status[1:]: ref("responses", name) for status, name in names.items()}


READ_ERRORS = responses(s400="BadRequest", s500="ServerError")
JOB_ERRORS = responses(s400="BadRequest", s404="NotFound", s500="ServerError", s503="Unavailable")
RESULT_ERRORS = responses(
    s400="BadRequest",
    s404="NotFound",
    s406="NotAcceptable",
    s410="Gone",
    s500="ServerError",
    s502="JobFailed",
    s503="Unavailable",
    s504="JobFailed",
)
RUN_ERRORS = responses(
    s400="BadRequest",
    s404="NotFound",
    s406="NotAcceptable",
    s413="TooLarge",
    s415="NotJson",
    s500="ServerError",
    s502="SourceUnavailable",
    s503="Unavailable",
    s504="SourceTimeout",
)
