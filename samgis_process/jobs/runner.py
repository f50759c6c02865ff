"""A thread that has one worker process, takes jobs from the record and follows them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from samgis_process.errors import StoreUnavailable
from samgis_process.jobs.attempt import Attempt, Surroundings, interrupted
from samgis_process.jobs.job import Claim
from samgis_process.jobs.process import Bell, WorkerProcess
from samgis_process.jobs.work import WorkFactory

IDLE_S = 1.0  # between looks for jobs that another server took in or gave back
_log = logging.getLogger(__name__)


class Runner:
    """One worker process and its thread; the process starts with the first job, and stays.

    Args:
        name: names the worker in claims; no other has it.
        ended: told the claim on each job that this runner has done with.
    """

    def __init__(
        self, name: str, factory: WorkFactory, around: Surroundings, ended: Callable[[Claim], None]
    ) -> None:
        self.name = name
        self.bell = Bell()
        self.job_id: str | None = None  # of the job that it is at
        self._factory = factory
        self._around = around
        self._ended = ended
        self._worker: WorkerProcess | None = None
        self._closing_at: float | None = None
        self._may_have_claimed = False  # a claim whose answer was lost
        self._thread = threading.Thread(target=self._run, name=f"runner-{name}", daemon=True)

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def stop(self, grace_s: float) -> None:
        """Take no more jobs; what is running gets some time, then goes back to the queue."""
        self._closing_at = time.monotonic() + grace_s
        self.bell.ring()

    def join(self) -> None:
        """Wait for the end of the thread and its process."""
        self._thread.join()
        self.bell.close()

    def _run(self) -> None:
        while self._closing_at is None:
            claim = self._next()
            if claim is None:
                self.bell.wait(IDLE_S)
            else:
                self.job_id = claim.id
                self._take(claim)
                self.job_id = None
        if self._worker:
            self._worker.kill()

    def _next(self) -> Claim | None:
        try:
            if self._may_have_claimed:
                self._around.store.disown(self.name)
                self._may_have_claimed = False
            return self._around.store.claim(self.name, self._around.lease_s)
        except StoreUnavailable:
            self._may_have_claimed = True
        except Exception:  # noqa: BLE001 - without this thread, no job would be taken any more
            _log.exception("no jobs can be taken")
        return None

    def _take(self, claim: Claim) -> None:
        try:
            closing = lambda: self._closing_at  # noqa: E731
            Attempt(claim, self._living_worker, self._around, self.bell, closing).follow()
        except Exception:  # noqa: BLE001
            # A mistake of ours must cost no more than this try: the thread is needed further.
            _log.exception("job %s was lost", claim.id)
            self._give_up(claim)
        self._ended(claim)
        self._stand_by()

    def _stand_by(self) -> None:
        """Have a worker ready for the next job, if this one took it along."""
        worker = self._worker
        if worker and worker.is_ready and not worker.is_alive and self._closing_at is None:
            try:
                self._living_worker()
            except OSError as error:  # the next job will say so
                _log.warning("no worker can be started: %s", error)

    def _give_up(self, claim: Claim) -> None:
        try:
            if self._worker:
                self._worker.kill()
            interrupted(claim, self._around, "The server made a mistake")
        except Exception:  # noqa: BLE001 - the lease will run out
            _log.exception("job %s cannot be given back", claim.id)

    def _living_worker(self) -> WorkerProcess:
        if self._worker is None or not self._worker.is_alive:
            directory: Path = self._around.outputs.directory
            self._worker = WorkerProcess(self._factory, directory, f"worker-{self.name}")
        return self._worker
