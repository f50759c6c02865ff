"""Parameters of a query, read or refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from starlette.datastructures import QueryParams

from samgis_process.errors import Fault
from samgis_process.ogc.errors import InvalidParameter
from samgis_process.ogc.jobs import STATES, JobQuery
from samgis_process.ogc.wording import did_you_mean, shown

DEFAULT_LIMIT, MAX_LIMIT = 10, 10_000  # 18-062r2, /req/core/pl-limit-definition
MOST_CHOICES = 100  # values of one parameter
FILTERS = ("type", "processID", "status", "datetime", "minDuration", "maxDuration", "limit")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CURSOR = re.compile(r"(-?)([0-9]{1,17})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_DURATION = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def whole_number(
    query: Mapping[str, str], name: str, default: int, least: int, most: int | None
) -> int:
    """Return a parameter that is a whole number.

    Raises:
        InvalidParameter: it is none, or out of range.
    """
    text = query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 10:
        number = int(text)
        if least <= number and (most is None or number <= most):
            return number
    limit = f"{least} to {most}" if most else f"{least} or more"
    fault = Fault(name, f"{shown(text)} is out of range", f"a whole number, {limit}", "")
    raise InvalidParameter(fault)


def limit(query: Mapping[str, str]) -> int:
    """Return how many to list at most."""
    return whole_number(query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def job_query(query: QueryParams, owner: str) -> JobQuery:
    """Return which jobs of `owner` a query asks for.

    Raises:
        InvalidParameter: a parameter makes no sense.
    """
    _chosen(query, "type", ("process",))  # there are no jobs of another type
    first, last = _interval(query.get("datetime"))
    return JobQuery(
        owner,
        limit(query),
        process_ids=_values(query, "processID"),
        statuses=_chosen(query, "status", STATES),
        created_from=first,
        created_to=last,
        min_duration_s=_seconds(query, "minDuration"),
        max_duration_s=_seconds(query, "maxDuration"),
        after=_marked(query.get("cursor")),
        newer=query.get("cursor", "").startswith("-"),
    )


def cursor(created: datetime, job_id: str, *, newer: bool = False) -> str:
    """Return the mark of a job, from which the page of older, or of newer jobs goes on."""
    return f"{'-' * newer}{(created - _EPOCH) // timedelta(microseconds=1)}-{job_id}"


def _marked(text: str | None) -> tuple[datetime, str] | None:
    if text is None:
        return None
    if found := _CURSOR.fullmatch(text):
        return _EPOCH + timedelta(microseconds=int(found[2])), found[3]
    message = f"{shown(text)} is no mark of this list"
    raise InvalidParameter(Fault("cursor", message, "", "Follow the link `next` of a list."))


def _values(query: QueryParams, name: str) -> tuple[str, ...]:
    """Return the values of a list, written with commas, or by repeating the parameter."""
    parts = [part.strip() for text in query.getlist(name) for part in text.split(",")]
    found = tuple(dict.fromkeys(part for part in parts if part))
    if any("\0" in part for part in found):
        raise InvalidParameter(Fault(name, "holds the character U+0000", "text", "Leave it out."))
    if len(found) > MOST_CHOICES:
        raise InvalidParameter(Fault(name, f"has {len(found)} values", f"{MOST_CHOICES} values"))
    return found


def _chosen(query: QueryParams, name: str, known: Collection[str]) -> tuple[str, ...]:
    found = _values(query, name)
    for value in found:
        if value not in known:
            remedy = did_you_mean(value, known)
            fault = Fault(name, f"{shown(value)} is unknown", ", ".join(known), remedy)
            raise InvalidParameter(fault)
    return found


def _seconds(query: QueryParams, name: str) -> float | None:
    text = query.get(name)
    if text is None:
        return None
    if _DURATION.fullmatch(text):
        return float(text)
    raise InvalidParameter(Fault(name, f"{shown(text)} is no duration", "seconds, 0 or more"))


def _interval(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the ends of an instant or interval; an end left open is None.

    Source: 18-062r2, /req/job-list/datetime-definition; RFC 3339.
    """
    if text is None:
        return None, None
    begin, divided, end = text.partition("/")
    if not divided:
        return _moment(text, text), _moment(text, text, last=True)
    if {begin, end} <= {"", ".."}:
        raise _no_interval(text)
    first = None if begin in {"", ".."} else _moment(begin, text)
    last = None if end in {"", ".."} else _moment(end, text, last=True)
    if first and last and first > last:
        raise _no_interval(text)
    return first, last


def _moment(text: str, whole: str, *, last: bool = False) -> datetime:
    """Return a moment; of a date its first, or `last`, one."""
    is_date = bool(_DATE.fullmatch(text))
    try:
        # A plus sign that was not escaped arrives as a space.
        moment = datetime.fromisoformat(text.upper().replace(" ", "+"))
        if is_date:
            moment = moment.replace(tzinfo=UTC)
            return moment + timedelta(days=1, microseconds=-1) if last else moment
        if moment.tzinfo is None or "T" not in text.upper():
            raise _no_interval(whole)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _no_interval(whole) from error


def _no_interval(text: str) -> InvalidParameter:
    wanted = "2026-03-01T12:00:00Z, 2026-03-01T00:00:00Z/2026-03-02T00:00:00Z, ../... or .../.."
    return InvalidParameter(Fault("datetime", f"{shown(text)} is no instant or interval", wanted))
