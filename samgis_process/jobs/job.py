"""What is known of a job, and how jobs are looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Status(StrEnum):
    """Where a job stands; the last three are ends."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    DISMISSED = "dismissed"


OPEN = (Status.ACCEPTED, Status.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """A record; all times are in UTC.

    Attributes:
        owner: who may see it; "" where nobody is told from anybody else.
        answer: what whoever made it wants to remember for the answer.
        progress: 0 to 100.
        problem: of a failed job: what went wrong, as JSON.
        results: of a successful job: the name of its outputs in the output store.
        attempts: how often work on it was begun.
        worker: who works on it.
    """

    id: str
    process_id: str
    owner: str
    status: Status
    message: str
    progress: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    updated: datetime
    answer: Mapping[str, Any]
    problem: Mapping[str, Any] | None
    results: str | None
    attempts: int
    worker: str | None

    @property
    def is_open(self) -> bool:
        """Return whether something is still to come."""
        return self.status in OPEN


@dataclass(frozen=True, slots=True)
class Claim:
    """A job to be worked on by one worker: its ticket for reporting.

    Attributes:
        attempt: the number of this try, from 1.
        request: what the work gets.
        answer: as `Job.answer`.
    """

    id: str
    attempt: int
    worker: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def results(self) -> str:
        """The name of what this try writes, which no other try shares."""
        return f"{self.id}.{self.attempt}"


class Query(Protocol):
    """Which jobs to list: of `owner`, newest first; an empty choice leaves all."""

    @property
    def owner(self) -> str:
        """Whose jobs."""
        ...

    @property
    def process_ids(self) -> Sequence[str]:
        """Jobs of any of these processes."""
        ...

    @property
    def statuses(self) -> Sequence[str]:
        """Jobs in any of these states."""
        ...

    @property
    def created_from(self) -> datetime | None:
        """Made then or later."""
        ...

    @property
    def created_to(self) -> datetime | None:
        """Made then or earlier."""
        ...

    @property
    def min_duration_s(self) -> float | None:
        """Ran, or runs, at least so long."""
        ...

    @property
    def max_duration_s(self) -> float | None:
        """Ran, or runs, at most so long."""
        ...

    @property
    def newer(self) -> bool:
        """Whether the jobs wanted are newer than `after`."""
        ...

    @property
    def after(self) -> tuple[datetime, str] | None:
        """(created, id) of the job before the first one wanted."""
        ...

    @property
    def limit(self) -> int:
        """The most jobs to list."""
        ...
