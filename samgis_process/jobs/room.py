"""Jobs as the rest of the server sees them: make, look, dismiss, wait, fetch."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from samgis_process.errors import NoSuchResult, StoreUnavailable
from samgis_process.jobs.attempt import Explain, Surroundings, interrupted
from samgis_process.jobs.job import Claim, Job, Query
from samgis_process.jobs.outputs import KeptFile, OutputStore
from samgis_process.jobs.runner import Runner
from samgis_process.jobs.store import JobStore
from samgis_process.jobs.work import Counts, WorkFactory

SWEEP_S = 600  # between looks for what has had its time
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What jobs may take; `settings.JobSettings` says what each means."""

    workers: int = 1
    queue: int = 100
    keep_s: float = 86_400
    max_bytes: int = 10 * 2**30
    time_limit_s: float = 3600
    lease_s: float = 15
    grace_s: float = 10


class Listener(Protocol):
    """Wants to know what becomes of jobs; it may not take long, nor call back at once."""

    def start(self) -> None:
        """The room opens."""
        ...

    def close(self) -> None:
        """The room closes; its record can still be read meanwhile."""
        ...

    def check(self, address: str) -> str | None:
        """Return why an address cannot be told; None if it can."""
        ...

    def changed(self, room: JobRoom, claim: Claim, *, ended: bool) -> None:
        """Work on a job has begun or moved, or has ended; the record says in what way."""
        ...


def _nobody_counts(_counts: Counts) -> None:
    pass


class JobRoom:
    """Jobs in a record, their outputs in files, and the worker processes of this server.

    Args:
        counted: told what workers have counted.
    """

    def __init__(
        self,
        store: JobStore,
        outputs: OutputStore,
        factory: WorkFactory,
        explain: Explain,
        limits: Limits,
        listener: Listener | None = None,
        counted: Callable[[Counts], None] = _nobody_counts,
    ) -> None:
        self._store = store
        self._outputs = outputs
        self._limits = limits
        self.listener = listener
        self._around = Surroundings(
            store, outputs, explain, limits.time_limit_s, limits.lease_s, self._moved, counted
        )
        server = secrets.token_hex(8)
        self.runners = [
            Runner(f"{server}.{number}", factory, self._around, self._ended)
            for number in range(limits.workers)
        ]
        self._waiting: dict[str, set[Callable[[], object]]] = defaultdict(set)
        self._lock = threading.Lock()
        # Claims whose lease has passed, and since when.
        self._suspects: dict[tuple[str, str], float] = {}
        self._closing = threading.Event()
        self._written = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="job-keeper", daemon=True)

    def start(self) -> None:
        """Begin to work on jobs, those of before first."""
        if self.listener:
            self.listener.start()
        self._keeper.start()
        for runner in self.runners:
            runner.start()

    def stop(self) -> None:
        """Take no more jobs; those that run have the grace time to end, then are given back."""
        if not self._closing.is_set():
            self._closing.set()
            for runner in self.runners:
                runner.stop(self._limits.grace_s)

    def close(self) -> None:
        """Stop, wait until all is in the record, and let go."""
        self.stop()
        self._keeper.join()  # it rings the runners' bells
        for runner in self.runners:
            runner.join()
        if self.listener:
            self.listener.close()
        self._store.close()

    def submit(
        self, process_id: str, owner: str, request: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> Job:
        """Return a new job, which waits for a worker.

        Raises:
            Overloaded: too many wait already.
        """
        half = self._limits.max_bytes // 2
        job = self._store.add(process_id, owner, request, answer, self._limits.queue, half)
        self._wake()
        return job

    def health(self) -> dict[str, Any]:
        """Return what a monitor wants to know; nothing is asked for it."""
        lost = self._store.lost
        state = {"status": "unavailable", "reason": lost} if lost else {"status": "ok"}
        busy = sum(runner.job_id is not None for runner in self.runners)
        return state | {"workers": len(self.runners), "busy": busy}

    def get(self, job_id: str, owner: str) -> Job | None:
        """Return a job of `owner`, or None."""
        return self._store.get(job_id, owner)

    def record(self, job_id: str) -> Job | None:
        """Return a job, whosever it is, or None: not for clients."""
        return self._store.record(job_id)

    def find(self, query: Query) -> list[Job]:
        """Return the jobs that the query asks for, newest first."""
        return self._store.find(query)

    def counts(self) -> Mapping[tuple[str, str], int]:
        """Return the number of jobs, of all owners, by process and status."""
        return self._store.counts()

    def dismiss(self, job_id: str, owner: str) -> Job | None:
        """Dismiss a job of `owner` and end its work; return it as it was, None if unknown."""
        before = self._store.dismiss(job_id, owner)
        if before and before.results:
            self._outputs.remove(before.results)
        if before:
            self._wake()
            self._tell(job_id)
        return before

    def outputs(self, job: Job) -> Mapping[str, KeptFile]:
        """Return the outputs of a successful job, by their names.

        Raises:
            NoSuchResult: they are not there any more.
        """
        if job.results is None:
            raise NoSuchResult("The job has no results.")
        return self._outputs.find(job.results)

    @contextmanager
    def watching(self, job_id: str, tell: Callable[[], object]) -> Iterator[None]:
        """Meanwhile, call `tell` when this server has done with the job."""
        with self._lock:
            self._waiting[job_id].add(tell)
        try:
            yield
        finally:
            with self._lock:
                self._waiting[job_id].discard(tell)
                if not self._waiting[job_id]:
                    del self._waiting[job_id]

    def _moved(self, claim: Claim, *, ended: bool = False) -> None:
        if self.listener is None:
            return
        try:
            self.listener.changed(self, claim, ended=ended)
        except Exception:  # noqa: BLE001 - who listens may not harm the job
            _log.exception("nobody was told of job %s", claim.id)

    def _ended(self, claim: Claim) -> None:
        self._written.set()
        self._tell(claim.id)
        self._moved(claim, ended=True)

    def _tell(self, job_id: str) -> None:
        with self._lock:
            listening = list(self._waiting.get(job_id, ()))
        for tell in listening:
            tell()

    def _wake(self) -> None:
        for runner in self.runners:
            runner.bell.ring()

    def _keep(self) -> None:
        """Take back what others lost, and sweep, again and again."""
        sweep_at = 0.0
        while not self._closing.is_set():
            try:
                self.take_back()
                if time.monotonic() >= sweep_at:
                    self.sweep()
                    sweep_at = time.monotonic() + min(SWEEP_S, self._limits.keep_s)
                if self._written.is_set():
                    requests = self._store.request_bytes()
                    self._written.clear()
                    self._outputs.make_room(self._limits.max_bytes - requests)
            except StoreUnavailable:
                self._suspects.clear()  # nobody could renew a lease meanwhile
            except Exception:  # noqa: BLE001 - the next look may be luckier
                _log.exception("jobs cannot be kept in order")
            self._closing.wait(min(self._limits.lease_s / 4, 2))

    def take_back(self) -> None:
        """Give the jobs of servers that are gone another try, or fail them.

        A lease may have passed because nobody could write to the record: so it is lost only when
        the record could be used for half of one more and it still was not renewed.
        """
        # What ours are at, they renew themselves, also after the machine has slept.
        ours = {runner.job_id for runner in self.runners if runner.job_id}
        moment, expired = time.monotonic(), self._store.expired(ours)
        known = {(claim.results, claim.worker): claim for claim in expired}
        self._suspects = {key: self._suspects.get(key, moment) for key in known}
        for key, claim in known.items():
            if moment - self._suspects[key] < self._limits.lease_s / 2:
                continue
            if interrupted(claim, self._around, "The server that worked on it ended"):
                _log.warning("job %s lost its worker %s", claim.id, claim.worker)
                self._wake()
                self._moved(claim, ended=True)

    def sweep(self) -> None:
        """Remove the jobs that were kept for their time, and outputs that are nobody's."""
        self._store.forget(self._limits.keep_s)
        names = self._outputs.names()  # before the record is read: what comes later is new
        used = self._store.results_in_use(names)
        for name in names:
            if name not in used:
                self._outputs.remove(name)
