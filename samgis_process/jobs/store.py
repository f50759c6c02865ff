"""The record of all jobs, in a database that several servers may share.

A job is worked on by whoever claimed it last: every word of a worker about its job names the
claim, and counts only as long as the record still says the same.
"""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    Connection,
    Update,
    and_,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from samgis_process.errors import Overloaded
from samgis_process.jobs.job import OPEN, Claim, Job, Query, Status
from samgis_process.jobs.reach import Reach
from samgis_process.jobs.rows import SHOWN, conditions, job_of, json_text, micros, now
from samgis_process.jobs.tables import JOBS, WRITE, open_engine

MOST_PARAMETERS = 1000  # of one statement; databases take some thousands
MOST_BYTES = 5 * 2**30  # of the requests of jobs that are not done
SMALL = 65_536  # characters of a request that count for nothing
MOST_WORDS = 1000  # characters of what a job says
MOST_PROBLEM = 10_000  # characters of a problem as JSON
RETRY_S = 5  # for who found the queue full


class JobStore:
    """The jobs in the database at `url`; a path is that of an SQLite file."""

    def __init__(self, url: str | Path) -> None:
        self._engine = open_engine(url)
        self._writes = self._engine.execution_options(**{WRITE: True})
        self._reach = Reach(self._engine)

    @property
    def lost(self) -> str | None:
        """Why the record could not be used when that was last tried; None: it could."""
        return self._reach.lost

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def add(
        self,
        process_id: str,
        owner: str,
        request: Mapping[str, Any],
        answer: Mapping[str, Any],
        queue: int,
        max_bytes: int = MOST_BYTES,
    ) -> Job:
        """Return a new job, which waits.

        Args:
            max_bytes: of the requests of all jobs that are not done.

        Raises:
            Overloaded: `queue` jobs wait already, or their requests leave no room for this one.
        """
        moment = micros(now())
        text = json_text(request)
        values = {
            "id": str(uuid.uuid4()),
            "process_id": process_id,
            "owner": owner,
            "status": Status.ACCEPTED,
            "message": "Waiting for a worker",
            "progress": 0,
            "created": moment,
            "updated": moment,
            "attempts": 0,
            "answer": json_text(answer),
            "request": text,
        }
        with self._writing() as connection:
            if _count_waiting(connection) >= queue:
                raise Overloaded(
                    f"{queue} jobs are waiting, which is all that this server keeps (jobs.queue). "
                    "Try again later.",
                    RETRY_S,
                )
            if len(text) > SMALL and _request_bytes(connection) + len(text) > max_bytes:
                raise Overloaded(
                    f"The requests of jobs that are not done take {max_bytes} bytes together, "
                    "which is all that this server keeps for them (half of jobs.max_bytes). "
                    "Try again later, or send a picture once and then its digest.",
                    RETRY_S,
                )
            connection.execute(insert(JOBS).values(values))
        return job_of({**dict.fromkeys(_NULLABLE), **values})

    def get(self, job_id: str, owner: str) -> Job | None:
        """Return a job of `owner`, or None."""
        chosen = select(*SHOWN).where(JOBS.c.id == job_id, JOBS.c.owner == owner)
        with self._reading() as connection:
            row = connection.execute(chosen).mappings().first()
        return job_of(row) if row else None

    def record(self, job_id: str) -> Job | None:
        """Return a job, whosever it is, or None."""
        chosen = select(*SHOWN).where(JOBS.c.id == job_id)
        with self._reading() as connection:
            row = connection.execute(chosen).mappings().first()
        return job_of(row) if row else None

    def find(self, query: Query) -> list[Job]:
        """Return the jobs that the query asks for, newest first."""
        chosen = select(*SHOWN).where(*conditions(query))
        order = [JOBS.c.created, JOBS.c.id]
        chosen = chosen.order_by(*(one if query.newer else one.desc() for one in order))
        chosen = chosen.limit(query.limit)
        with self._reading() as connection:
            found = [job_of(row) for row in connection.execute(chosen).mappings()]
        return found[::-1] if query.newer else found

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of jobs, of all owners, by process and status."""
        groups = (JOBS.c.process_id, JOBS.c.status)
        with self._reading() as connection:
            rows = connection.execute(select(*groups, func.count()).group_by(*groups)).all()
        return {(row[0], row[1]): row[2] for row in rows}

    def dismiss(self, job_id: str, owner: str) -> Job | None:
        """Make a job of `owner` dismissed, if it is there and is not; return it as it was."""
        mine = and_(JOBS.c.id == job_id, JOBS.c.owner == owner)
        moment = micros(now())
        with self._writing() as connection:
            seen = select(*SHOWN).where(mine).with_for_update()
            before = connection.execute(seen).mappings().first()
            connection.execute(
                update(JOBS)
                .where(mine, JOBS.c.status != Status.DISMISSED)
                .values(_end(Status.DISMISSED, "Dismissed", moment) | {"problem": None})
            )
        return job_of(before) if before else None

    # What workers say

    def claim(self, worker: str, lease_s: float) -> Claim | None:
        """Return the job that waits longest, now the worker's; None when none waits."""
        waiting = JOBS.c.status == Status.ACCEPTED
        with self._reading() as connection:
            if connection.execute(select(JOBS.c.id).where(waiting).limit(1)).first() is None:
                return None
        first = select(JOBS.c.id).where(waiting).order_by(JOBS.c.created).limit(1)
        moment = now()
        # A job may have been made after this moment, and before the statement finds it.
        begins = case((JOBS.c.created > micros(moment), JOBS.c.created), else_=micros(moment))
        statement = (
            update(JOBS)
            .where(JOBS.c.id == first.with_for_update(skip_locked=True).scalar_subquery())
            .where(waiting)
            .values(
                status=Status.RUNNING, worker=worker, attempts=JOBS.c.attempts + 1, progress=0,
                started=begins, updated=begins, message="Started",
                lease=micros(moment + timedelta(seconds=lease_s)),
            )
            .returning(JOBS.c.id, JOBS.c.attempts, JOBS.c.request, JOBS.c.answer)
        )  # fmt: skip
        with self._writing() as connection:
            row = connection.execute(statement).first()
        if row is None:
            return None
        return Claim(row[0], row[1], worker, orjson.loads(row[2]), orjson.loads(row[3]))

    def disown(self, worker: str) -> None:
        """Give back the jobs of a worker that does not know whether it claimed any."""
        mine = and_(JOBS.c.worker == worker, JOBS.c.status == Status.RUNNING)
        again = _waiting_again("Waiting for a worker") | {"attempts": JOBS.c.attempts - 1}
        with self._writing() as connection:
            connection.execute(update(JOBS).where(mine).values(again))

    def renew(self, claim: Claim, lease_s: float) -> bool:
        """Keep the claim for some time; return whether it still holds."""
        until = micros(now() + timedelta(seconds=lease_s))
        return self._say(claim, update(JOBS).values(lease=until))

    def holds(self, claim: Claim) -> bool:
        """Return whether the job still is whose claim this is."""
        with self._reading() as connection:
            return connection.execute(select(JOBS.c.id).where(_held(claim))).first() is not None

    def report(self, claim: Claim, progress: int, message: str) -> bool:
        """Say how far the work has come, 0 to 100; return whether the claim still holds."""
        words = message[:MOST_WORDS]
        values = {"progress": progress, "message": words, "updated": micros(now())}
        return self._say(claim, update(JOBS).values(values))

    def succeed(self, claim: Claim, results: str) -> bool:
        """Say that the work is done; return whether the claim still held."""
        values = _end(Status.SUCCESSFUL, "Done", micros(now()))
        return self._say(
            claim, update(JOBS).values(values | {"progress": 100, "results": results})
        )

    def fail(self, claim: Claim, problem: Mapping[str, Any]) -> bool:
        """Say that the work cannot be done; return whether the claim still held."""
        message = str(problem.get("detail") or problem.get("title") or "Failed")[:MOST_WORDS]
        text = json_text(problem)
        if len(text) > MOST_PROBLEM:
            short = {"type", "title", "status", "instance"}
            text = json_text(
                {k: v for k, v in problem.items() if k in short} | {"detail": message}
            )
        values = _end(Status.FAILED, message, micros(now())) | {"problem": text}
        return self._say(claim, update(JOBS).values(values))

    def release(self, claim: Claim, message: str, *, counts: bool) -> bool:
        """Give the job back to the queue; `counts`: this try is one of those it has."""
        values = _waiting_again(message) | {"attempts": claim.attempt - (0 if counts else 1)}
        return self._say(claim, update(JOBS).values(values))

    def expired(self, but: Collection[str]) -> list[Claim]:
        """Return the claims whose time has passed, without those on the jobs in `but`."""
        lost = select(JOBS.c.id, JOBS.c.attempts, JOBS.c.worker, JOBS.c.answer).where(
            JOBS.c.status == Status.RUNNING, JOBS.c.lease < micros(now())
        )
        with self._reading() as connection:
            rows = connection.execute(lost).all()
        return [
            Claim(row[0], row[1], row[2], {}, orjson.loads(row[3]))
            for row in rows
            if row[0] not in but
        ]

    # Keeping order

    def request_bytes(self) -> int:
        """Return what the requests of jobs that are not done take, about."""
        with self._reading() as connection:
            return _request_bytes(connection)

    def forget(self, keep_s: float) -> int:
        """Remove the jobs that ended longer ago; return their number."""
        limit = micros(now() - timedelta(seconds=keep_s))
        with self._writing() as connection:
            return int(
                connection.execute(delete(JOBS).where(JOBS.c.finished < limit)).rowcount or 0
            )

    def results_in_use(self, names: Collection[str]) -> set[str]:
        """Return those names of outputs that a job has, or that are being written."""
        ids = {name.partition(".")[0] for name in names}
        chosen = select(JOBS.c.id, JOBS.c.status, JOBS.c.attempts, JOBS.c.results)
        used: set[str] = set()
        with self._reading() as connection:
            for some in itertools.batched(ids, MOST_PARAMETERS):
                for row in connection.execute(chosen.where(JOBS.c.id.in_(some))):
                    running = row.status == Status.RUNNING
                    used.add(f"{row.id}.{row.attempts}" if running else str(row.results))
        return used

    def _say(self, claim: Claim, statement: Update) -> bool:
        with self._writing() as connection:
            return bool(connection.execute(statement.where(_held(claim))).rowcount)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._reach.used(writing=True), self._writes.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._reach.used(writing=False), self._engine.connect() as connection:
            yield connection


_NULLABLE = ("started", "finished", "worker", "results", "problem")


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(
        JOBS.c.id == claim.id,
        JOBS.c.attempts == claim.attempt,
        JOBS.c.worker == claim.worker,
        JOBS.c.status == Status.RUNNING,
    )


def _end(status: Status, message: str, moment: int) -> dict[str, Any]:
    """Return what changes at an end; the request is of no use any more, and may be large."""
    finished = func.coalesce(JOBS.c.finished, moment)
    ended = {"status": status, "message": message, "updated": moment, "finished": finished}
    return ended | {"lease": None, "worker": None, "request": None, "results": None}


def _waiting_again(message: str) -> dict[str, Any]:
    free = {"worker": None, "lease": None, "started": None, "progress": 0}
    return free | {"status": Status.ACCEPTED, "message": message, "updated": micros(now())}


def _count_waiting(connection: Connection) -> int:
    waiting = select(func.count()).where(JOBS.c.status == Status.ACCEPTED)
    return int(connection.execute(waiting).scalar_one())


def _request_bytes(connection: Connection) -> int:
    taken = select(func.sum(func.length(JOBS.c.request))).where(JOBS.c.status.in_(OPEN))
    return int(connection.execute(taken).scalar() or 0)
