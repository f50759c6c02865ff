"""What work is, to this room: made once in a worker process, then given one job at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from samgis_process.jobs.outputs import OutputFile

Report = Callable[[float, str], None]
Counts = Mapping[tuple[str, str], float]  # numbers that only grow, by what they count and a label


class Stopped(BaseException):
    """Raised out of `report` once nobody wants the answer; no error, so none may catch it."""


class Work(Protocol):
    """What a worker does."""

    def run(
        self,
        name: str,
        request: Mapping[str, Any],
        report: Report,
        is_cancelled: Callable[[], bool],
    ) -> Mapping[str, OutputFile]:
        """Return the outputs of a job.

        Args:
            name: that of this try; what is kept under it elsewhere goes when the outputs go.
            request: as it was kept with the job.
            report: takes 0 to 1 and a message; raises Stopped once nobody wants the answer.
            is_cancelled: whether nobody does.
        """
        ...

    def drained(self) -> Counts:
        """Return what was counted since the last time this was asked."""
        ...

    def problem(self, error: Exception, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what went wrong, as JSON for the public; log what is not."""
        ...


# Called in the worker process: it travels there by name, so it is a function of a module.
WorkFactory = Callable[[], Work]
