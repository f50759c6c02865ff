"""Jobs as rows: times, JSON, and the conditions of a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import RowMapping, case, or_, tuple_
from sqlalchemy.sql.elements import ColumnElement

from samgis_process.jobs.job import Job, Query, Status
from samgis_process.jobs.tables import JOBS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SHOWN = [column for column in JOBS.c if column.name not in {"request", "lease"}]


def now() -> datetime:
    """Return the time, in UTC, to the millisecond: what clients see is what they can ask for."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def conditions(query: Query) -> Iterator[ColumnElement[bool]]:
    """Yield what must hold for the jobs that a query asks for."""
    yield JOBS.c.owner == query.owner
    if query.process_ids:
        yield JOBS.c.process_id.in_(query.process_ids)
    if query.statuses:
        yield JOBS.c.status.in_(query.statuses)
    if query.created_from:
        yield JOBS.c.created >= micros(query.created_from)
    if query.created_to:
        yield JOBS.c.created <= micros(query.created_to)
    if query.after:
        created, job_id = query.after
        here, mark = tuple_(JOBS.c.created, JOBS.c.id), tuple_(micros(created), job_id)
        yield here > mark if query.newer else here < mark
    yield from _lasting(query)


def _lasting(query: Query) -> Iterator[ColumnElement[bool]]:
    """Yield the limits of duration; what never began has none.

    Source: 18-062r2, /req/job-list/duration-response.
    """
    if query.min_duration_s is None and query.max_duration_s is None:
        return
    running = JOBS.c.status == Status.RUNNING
    end = case((running, micros(now())), else_=JOBS.c.finished)
    yield JOBS.c.started.is_not(None)
    yield or_(running, JOBS.c.finished.is_not(None))
    if query.min_duration_s is not None:
        yield end - JOBS.c.started >= round(query.min_duration_s * 1e6)
    if query.max_duration_s is not None:
        yield end - JOBS.c.started <= round(query.max_duration_s * 1e6)


def job_of(row: RowMapping | Mapping[str, Any]) -> Job:
    """Return the job that a row holds."""
    values = {str(column.name): row[column.name] for column in SHOWN}
    for name in ("created", "started", "finished", "updated"):
        values[name] = _moment(values[name])
    values["status"] = Status(values["status"])
    values["answer"] = orjson.loads(values["answer"])
    values["problem"] = orjson.loads(values["problem"]) if values["problem"] else None
    return Job(**values)


def json_text(value: Mapping[str, Any]) -> str:
    """Return JSON as it is kept."""
    return orjson.dumps(value).decode()


def micros(moment: datetime) -> int:
    """Return a time as it is kept: microseconds since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)
