"""Errors as problem details (RFC 7807): one table from the class to what a client sees."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from samgis_process.errors import (
    ConfigurationError,
    Interrupted,
    InvalidInput,
    InvalidRequest,
    ModelUnavailable,
    NoData,
    NoRoom,
    NoSuchResult,
    NotAsked,
    Overloaded,
    PictureGone,
    SamgisError,
    SourceDamaged,
    SourceTimeout,
    SourceUnavailable,
    StoreUnavailable,
    StoreUnusable,
    TookTooLong,
)
from samgis_process.ogc import errors
from samgis_process.ogc.names import EXCEPTION
from samgis_process.ogc.negotiation import HTML, JSON, best
from samgis_process.ogc.pages import page

PROBLEM_JSON = "application/problem+json"
OURS = "urn:samgis:problem:"  # explained in docs/reference/problems.md

_log = logging.getLogger(__name__)


class Problem(NamedTuple):
    """What every error of a class has in common."""

    status: HTTPStatus
    type: str
    title: str


INTERNAL = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR, OURS + "internal-error", "The server made a mistake"
)
_NO_JOBS = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE, OURS + "jobs-unavailable", "Jobs are not available"
)
PROBLEMS: dict[type[SamgisError], Problem] = {
    SamgisError: INTERNAL,
    InvalidRequest: Problem(
        HTTPStatus.BAD_REQUEST, OURS + "invalid-request", "The request is not valid"
    ),
    InvalidInput: Problem(
        HTTPStatus.BAD_REQUEST, OURS + "invalid-request", "The request is not valid"
    ),
    NoData: Problem(HTTPStatus.BAD_REQUEST, OURS + "no-data", "The source holds no data there"),
    PictureGone: Problem(
        HTTPStatus.CONFLICT, OURS + "picture-gone", "The picture is not kept here (any more)"
    ),
    ConfigurationError: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, OURS + "misconfigured", "The server is not set up for that"
    ),
    NotAsked: Problem(
        HTTPStatus.BAD_GATEWAY, OURS + "address-not-asked", "An address could not be asked"
    ),
    NoSuchResult: Problem(
        HTTPStatus.NOT_FOUND, OURS + "no-such-result", "No such result (any more)"
    ),
    NoRoom: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, OURS + "no-room", "The result cannot be kept now"
    ),
    errors.InvalidParameter: Problem(
        HTTPStatus.BAD_REQUEST,
        EXCEPTION + "invalid-query-parameter-value",
        "A parameter of the query is not valid",
    ),
    errors.UnknownHost: Problem(
        HTTPStatus.BAD_REQUEST, OURS + "unknown-host", "This server has another name"
    ),
    errors.NoSuchOutput: Problem(
        HTTPStatus.BAD_REQUEST, EXCEPTION + "no-such-output", "No such output"
    ),
    errors.NoSuchProcess: Problem(
        HTTPStatus.NOT_FOUND, EXCEPTION + "no-such-process", "No such process"
    ),
    errors.NoSuchJob: Problem(HTTPStatus.NOT_FOUND, EXCEPTION + "no-such-job", "No such job"),
    errors.JobDismissed: Problem(HTTPStatus.GONE, OURS + "job-dismissed", "The job was dismissed"),
    errors.ResultNotReady: Problem(
        HTTPStatus.NOT_FOUND, EXCEPTION + "result-not-ready", "The result is not ready"
    ),
    errors.ProcessFailed: Problem(
        HTTPStatus.BAD_GATEWAY, OURS + "process-failed", "The process failed"
    ),
    errors.JobFailed: INTERNAL,  # it brings its own
    StoreUnavailable: _NO_JOBS,
    StoreUnusable: _NO_JOBS,
    Interrupted: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, OURS + "interrupted", "The work was interrupted"
    ),
    TookTooLong: Problem(
        HTTPStatus.GATEWAY_TIMEOUT, OURS + "time-limit", "The work took too long"
    ),
    errors.NotSignedIn: Problem(
        HTTPStatus.UNAUTHORIZED, OURS + "not-signed-in", "Say who you are"
    ),
    errors.NotAllowed: Problem(HTTPStatus.FORBIDDEN, OURS + "not-allowed", "This is not for you"),
    errors.TooManyRequests: Problem(
        HTTPStatus.TOO_MANY_REQUESTS, OURS + "too-many-requests", "Too many requests"
    ),
    errors.NotAcceptable: Problem(
        HTTPStatus.NOT_ACCEPTABLE, OURS + "not-acceptable", "Not available in this media type"
    ),
    errors.BodyTooLarge: Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, OURS + "body-too-large", "The body is too large"
    ),
    errors.HeadersTooLarge: Problem(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        OURS + "headers-too-large",
        "The headers are too large",
    ),
    errors.RequestTooSlow: Problem(
        HTTPStatus.REQUEST_TIMEOUT, OURS + "request-too-slow", "The request comes too slowly"
    ),
    errors.UnsupportedMediaType: Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        OURS + "unsupported-media-type",
        "The body is not JSON",
    ),
    SourceUnavailable: Problem(
        HTTPStatus.BAD_GATEWAY, OURS + "source-unavailable", "A source is not available"
    ),
    SourceTimeout: Problem(
        HTTPStatus.GATEWAY_TIMEOUT, OURS + "source-timeout", "A source did not answer in time"
    ),
    SourceDamaged: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, OURS + "source-damaged", "A source is damaged"
    ),
    ModelUnavailable: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, OURS + "model-unavailable", "The model is not available"
    ),
    Overloaded: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, OURS + "overloaded", "Too much work is waiting"
    ),
}


def problem_for(error: Exception) -> Problem:
    """Return the row of the nearest class; what nobody foresaw is a mistake of ours."""
    return next((PROBLEMS[k] for k in type(error).__mro__ if k in PROBLEMS), INTERNAL)


def body(error: Exception, request_id: str) -> dict[str, Any]:
    """Return the problem details of an error; those of a bug say nothing about it."""
    if isinstance(error, errors.JobFailed):
        return dict(error.problem)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        problem, detail = Problem(status, "about:blank", status.phrase), error.detail
    else:
        problem = problem_for(error)
        detail = str(error) if isinstance(error, SamgisError) else _apology(request_id)
    details: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status.value,
        "detail": detail,
        "instance": f"urn:uuid:{request_id}",
    }
    if isinstance(error, InvalidRequest):
        details["errors"] = [asdict(fault) for fault in error.faults]
    return details


def _apology(request_id: str) -> str:
    return f"The server's log says more, under the request id {request_id}."


def response(request: Request, error: Exception) -> Response:
    """Return the answer to a request that ended in `error`, and log what is not its fault."""
    request_id = request_id_of(request)
    details = body(error, request_id)
    if not isinstance(error, errors.JobFailed):  # that was logged when it happened
        log(error, details, request_id)
    return _represented(details, request, _headers(error))


def log(error: Exception, details: Mapping[str, Any], request_id: str) -> None:
    """Log an error that is not the request's fault; a bug with all that is known."""
    if details["status"] == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request %s failed", request_id, exc_info=error)
    elif isinstance(error, StoreUnavailable) and not isinstance(error, StoreUnusable):
        _log.debug("request %s: %s", request_id, details["detail"])  # the store says it, once
    elif details["status"] > HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("request %s: %s", request_id, details["detail"])


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, errors.NotSignedIn):
        return {"WWW-Authenticate": error.challenge}
    if isinstance(error, Overloaded | errors.TooManyRequests):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, StoreUnavailable | Interrupted):
        return {"Retry-After": "5"}
    if isinstance(error, errors.RequestTooSlow):
        return {"Connection": "close"}
    if isinstance(error, HTTPException):
        return dict(error.headers or {})
    return {}


def request_id_of(request: Request) -> str:
    """Return the id that `middleware.RequestIds` gave to the request."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def _represented(
    details: Mapping[str, Any], request: Request, headers: dict[str, str]
) -> Response:
    """Return the problem as plain JSON, unless the client asks for something else.

    The conformance suite wants `application/json` from who did not name problem+json.
    """
    media_type = best(request.headers.get("accept"), [JSON, PROBLEM_JSON, HTML]) or JSON
    if request.query_params.get("f") in {"json", "html"}:
        media_type = HTML if request.query_params["f"] == "html" else JSON
    status = int(details["status"])
    headers = {"Vary": "Accept", **headers}
    if media_type == HTML:
        return _page(details, request, headers)
    return Response(orjson.dumps(details), status, headers, media_type)


def _page(details: Mapping[str, Any], request: Request, headers: Mapping[str, str]) -> Response:
    shown = {"type": "", "detail": "", "instance": "", **details}  # a job's own may be anything
    return page(
        request,
        "problem.html",
        title=str(details["title"]),
        status=int(details["status"]),
        headers=headers,
        problem=shown,
    )
