"""What jobs are, to this room: somebody else keeps them and works on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

STATES = ("accepted", "running", "successful", "failed", "dismissed")


class Job(Protocol):
    """A record, at one moment."""

    @property
    def id(self) -> str:
        """A uuid."""
        ...

    @property
    def process_id(self) -> str:
        """What is run."""
        ...

    @property
    def status(self) -> str:
        """One of `STATES`."""
        ...

    @property
    def message(self) -> str:
        """What goes on, for people."""
        ...

    @property
    def progress(self) -> int:
        """0 to 100."""
        ...

    @property
    def created(self) -> datetime:
        """When it was accepted; in UTC, like all times here."""
        ...

    @property
    def started(self) -> datetime | None:
        """When work on it began."""
        ...

    @property
    def finished(self) -> datetime | None:
        """When it ended, in whatever way."""
        ...

    @property
    def updated(self) -> datetime:
        """When the record last changed."""
        ...

    @property
    def answer(self) -> Mapping[str, Any]:
        """What `submit` was given for the answer."""
        ...

    @property
    def problem(self) -> Mapping[str, Any] | None:
        """Of a failed job: the problem details."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        ...


class Kept(Protocol):
    """An output, as `encode.to_bytes` wrote it."""

    @property
    def media_type(self) -> str:
        """What it is."""
        ...

    @property
    def kind(self) -> Literal["json", "text", "bytes"]:
        """What it was before."""
        ...

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def content(self) -> bytes:
        """Its bytes; raises NoSuchResult."""
        ...


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs to list, newest first; an empty choice leaves all.

    Attributes:
        after: (created, id) of the job next to the first one wanted.
        newer: whether those wanted are newer than `after`, the nearest of them.
    """

    owner: str
    limit: int
    process_ids: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    after: tuple[datetime, str] | None = None
    newer: bool = False

    def with_one_more(self) -> JobQuery:
        """Return the query for one job more, which tells whether there is a next page."""
        return replace(self, limit=self.limit + 1)


class Jobs[J: Job](Protocol):
    """Who keeps jobs and works on them; each method may block, and be called by any thread."""

    def submit(
        self, process_id: str, owner: str, request: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> J:
        """Return a new job that will run `request`; raises Overloaded."""
        ...

    def get(self, job_id: str, owner: str) -> J | None:
        """Return a job of `owner`, or None."""
        ...

    def find(self, query: JobQuery) -> list[J]:
        """Return jobs, newest first."""
        ...

    def dismiss(self, job_id: str, owner: str) -> J | None:
        """Dismiss a job of `owner` and end its work; return it as it was, None if unknown."""
        ...

    def outputs(self, job: J) -> Mapping[str, Kept]:
        """Return a successful job's outputs, by their names; raises NoSuchResult."""
        ...

    def watching(
        self, job_id: str, tell: Callable[[], object]
    ) -> AbstractContextManager[Any, Any]:
        """Meanwhile, call `tell` from any thread when the job may have ended."""
        ...
