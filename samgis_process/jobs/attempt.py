"""One try of one job, as the server sees it: what the worker says, and who wants it to end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from samgis_process.errors import Interrupted, SamgisError, StoreUnavailable, TookTooLong
from samgis_process.jobs.job import Claim
from samgis_process.jobs.outputs import OutputStore
from samgis_process.jobs.process import Bell, WorkerProcess
from samgis_process.jobs.store import JobStore
from samgis_process.jobs.work import Counts

ATTEMPTS = 2  # how often work on a job is begun
STOP_S = 0.3  # for a worker to stop by itself before its process is ended
START_S = 120  # for a worker to open what it needs, which is not the job's time
TICK_S = 0.25  # between looks at the clock and the record
WRITE_S = 0.25  # between two reports in the record

Explain = Callable[[Exception, Mapping[str, Any]], Mapping[str, Any]]
Reason = Literal["lost", "late", "closing"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every try needs.

    Attributes:
        moved: told that work on a job has begun, or come further.
        counted: told what a worker has counted.
    """

    store: JobStore
    outputs: OutputStore
    explain: Explain
    time_limit_s: float
    lease_s: float
    moved: Callable[[Claim], None] = lambda _: None
    counted: Callable[[Counts], None] = lambda _: None


class Attempt:
    """Follows one try to its end.

    Args:
        hire: returns a worker that is alive, or is just starting.
        closing: the moment, of the monotonic clock, when the server wants its workers back.
    """

    def __init__(
        self,
        claim: Claim,
        hire: Callable[[], WorkerProcess],
        around: Surroundings,
        bell: Bell,
        closing: Callable[[], float | None],
    ) -> None:
        begun = time.monotonic()
        self.claim = claim
        self._hire = hire
        self._worker = hire()
        self._replaced = self._begun = False
        self._around = around
        self._store = around.store
        self._bell = bell
        self._closing = closing
        self._late_at = begun + START_S + around.time_limit_s
        self._renew_at = begun + around.lease_s / 4
        self._write_at = begun
        self._news: tuple[int, str] | None = None
        self._reason: Reason | None = None
        self._kill_at = 0.0

    def follow(self) -> None:
        """Return when the job is done, given back, failed, or no longer ours."""
        if self._worker.is_ready:
            self._begin()
        while True:
            message = self._worker.hear(self._patience(), self._bell)
            if message and self._is_end(message):
                return
            self._look_around()
            if self._reason and time.monotonic() >= self._kill_at:
                self._worker.kill()
                self._end_for(self._reason)
                return

    def _patience(self) -> float:
        return max(0.0, self._kill_at - time.monotonic()) if self._reason else TICK_S

    def _begin(self) -> None:
        self._late_at = time.monotonic() + self._around.time_limit_s
        self._worker.start_on(self.claim.results, self.claim.request)

    def _is_end(self, message: tuple[Any, ...]) -> bool:
        """Take in what the worker says; return whether that was the last of it."""
        what, *rest = message
        if what == "ready":
            self._worker.is_ready = True
            self._begin()
            return False
        if what == "broken":
            self._worker.kill()
            self._fail(Interrupted(f"No worker can be started. {rest[0]}".strip()))
            return True
        if what == "ended":
            self._worker.kill()
            return self._is_end_without_worker()
        if rest[0] != self.claim.results:
            return False
        return self._is_end_of_job(what, *rest[1:])

    def _is_end_of_job(self, what: str, *rest: Any) -> bool:
        if what == "begun":
            self._begun = True
            self._around.moved(self.claim)
            return False
        if what == "counted":
            self._around.counted(rest[0])
            return False
        if what == "progress":
            self._news = (max(0, min(99, int(100 * rest[0]))), str(rest[1]))
            return False
        if what == "done":
            name = self.claim.results
            self._settle(lambda: self._store.succeed(self.claim, name))
        elif what == "failed":
            self._settle(lambda: self._store.fail(self.claim, rest[0]))
        else:
            self._end_for(self._reason or "lost")
        return True

    def _look_around(self) -> None:
        moment = time.monotonic()
        if self._reason:
            return
        self._reason = self._reason_of_clock(moment) or self._reason_of_record(moment)
        if self._reason:
            self._kill_at = moment + STOP_S
            self._worker.cancel(self.claim.results)

    def _reason_of_clock(self, moment: float) -> Reason | None:
        closing = self._closing()
        if closing is not None and moment >= closing:
            return "closing"
        return "late" if moment >= self._late_at else None

    def _reason_of_record(self, moment: float) -> Reason | None:
        """Keep the record up, and ask it; while it cannot be asked, the work goes on."""
        try:
            self._write(moment)
            return None if self._still_ours(moment) else "lost"
        except StoreUnavailable:
            return None

    def _still_ours(self, moment: float) -> bool:
        if moment < self._renew_at:
            return self._store.holds(self.claim)
        held = self._store.renew(self.claim, self._around.lease_s)
        self._renew_at = moment + self._around.lease_s / 4
        return held

    def _write(self, moment: float) -> None:
        if self._news and moment >= self._write_at:
            news, self._news = self._news, None
            self._write_at = moment + WRITE_S
            if self._store.report(self.claim, *news):
                self._around.moved(self.claim)

    def _end_for(self, reason: Reason) -> None:
        if reason == "late":
            limit = self._around.time_limit_s
            self._fail(
                TookTooLong(
                    f"The job was not done within {limit:g} seconds, the most that one may take "
                    "(jobs.time_limit_s). Ask for less at a time."
                )
            )
        elif reason == "closing":
            self._around.outputs.remove(self.claim.results)
            words = "Its worker was stopped; waiting for another"
            self._settle(lambda: self._store.release(self.claim, words, counts=False))
        else:
            with contextlib.suppress(StoreUnavailable):  # then it goes with a later sweep
                self._discard()

    def _is_end_without_worker(self) -> bool:
        """Take another worker if this one died while it had nothing to do; else it is the end."""
        if self._worker.is_ready and not (self._begun or self._replaced or self._reason):
            self._replaced = True
            self._worker = self._hire()
            return False
        self._interrupted()
        return True

    def _interrupted(self) -> None:
        if self._reason:
            self._end_for(self._reason)
        elif self._worker.was_asked_to_end:
            self._end_for("closing")
        else:
            self._settle(lambda: interrupted(self.claim, self._around, "Its worker ended"))

    def _fail(self, error: SamgisError) -> None:
        problem = self._around.explain(error, self.claim.request)
        self._settle(lambda: self._store.fail(self.claim, problem))

    def _settle(self, say: Callable[[], bool]) -> None:
        """Write an end into the record; without it, nobody could find what was made.

        However long that takes: another try of the work would take longer.
        """
        while True:
            try:
                if not say():
                    self._discard()
            except StoreUnavailable:
                closing = self._closing()
                if closing is not None and time.monotonic() >= closing:
                    return  # the lease runs out, and the job is tried again
                time.sleep(TICK_S)
            else:
                return

    def _discard(self) -> None:
        """Remove what this try wrote, unless the record names it.

        It may though our claim does not hold: the answer to our own word may have been lost.
        """
        name = self.claim.results
        if name not in self._store.results_in_use({name}):
            self._around.outputs.remove(name)


def interrupted(claim: Claim, around: Surroundings, what: str) -> bool:
    """Give a job whose worker was lost another try, or up; return whether the claim held."""
    if claim.attempt < ATTEMPTS:
        words = f"{what} before the job was done; waiting for another try"
        held = around.store.release(claim, words, counts=True)
    else:
        error = Interrupted(
            f"{what} before the job was done, and so it was {ATTEMPTS} times. "
            "It may need more memory than there is."
        )
        held = around.store.fail(claim, around.explain(error, claim.request))
    # Whoever worked on it may have been done in the meantime: then these files are the result.
    if held:
        around.outputs.remove(claim.results)
    return held
