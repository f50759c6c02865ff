"""Callbacks: who subscribed to a job hears when it begins, moves, and has ended."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson

from samgis_process import outbound
from samgis_process.jobs import JobRoom
from samgis_process.jobs.job import Claim, Job, Status
from samgis_process.jobs.notices import NoticeLimits, Notices
from samgis_process.ogc import encode, job_results, job_status, subscriber
from samgis_process.ogc.negotiation import JSON
from samgis_process.outbound import Refused, Rules
from samgis_process.outbound.rules import target
from samgis_process.settings import CallbackSettings

_MOST_REMEMBERED = 10_000  # jobs whose last call is remembered


class Callbacks:
    """Listens to a room of jobs, and calls subscribers."""

    def __init__(self, settings: CallbackSettings, rules: Rules | None = None) -> None:
        self._rules = rules or Rules(settings.hosts or None, settings.private_hosts)
        self._timeout_s = settings.timeout_s
        self._progress_s = settings.progress_s
        limits = NoticeLimits(settings.workers, settings.queue, settings.tries, settings.backoff_s)
        self._notices = Notices(self._post, limits)
        self._called: OrderedDict[str, float] = OrderedDict()  # job to when it was in progress
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to call."""
        self._notices.start()

    def close(self) -> None:
        """Call whom there is time for, and no more."""
        self._notices.close()

    def check(self, address: str) -> str | None:
        """Return why an address cannot be called, as far as its name says; None if it can."""
        try:
            self._rules.check(target(address))
        except Refused as error:
            return str(error)
        return None

    def changed(self, room: JobRoom, claim: Claim, *, ended: bool) -> None:
        """Call whoever wants to know that work on a job has begun, moved or ended."""
        addresses = subscriber.of(claim.answer)
        if not addresses:
            return
        if ended:
            with self._lock:
                self._called.pop(claim.id, None)
            self._notices.put(f"callback of job {claim.id}", partial(_end, room, claim))
        elif subscriber.IN_PROGRESS in addresses and self._is_time(claim.id):
            # One try: the next news will be better than a late repeat of these.
            name = f"callback of running job {claim.id}"
            self._notices.put(name, partial(_progress, room, claim), tries=1)

    def _is_time(self, job_id: str) -> bool:
        moment = time.monotonic()
        with self._lock:
            if moment - self._called.get(job_id, -self._progress_s) < self._progress_s:
                return False
            self._called[job_id] = moment
            if len(self._called) > _MOST_REMEMBERED:
                self._called.popitem(last=False)
            return True

    def _post(self, address: str, content: bytes) -> None:
        try:
            outbound.post(address, content, JSON, self._rules, self._timeout_s)
        except outbound.Unreachable as error:  # the log shall say who, but no secret of a query
            host = urlsplit(address).hostname
            raise outbound.Unreachable(f"{error} ({host})", passing=error.passing) from error


def _end(room: JobRoom, claim: Claim) -> tuple[str, bytes] | None:
    """Return whom to call with what at the end of a job; nobody where it goes on elsewhere."""
    addresses, job = subscriber.of(claim.answer), room.record(claim.id)
    if job is None:
        return None
    if job.status == Status.SUCCESSFUL and subscriber.SUCCESS in addresses:
        found = encode.document(job_results.results(room, job, _base(claim)))
        return addresses[subscriber.SUCCESS], orjson.dumps(found)
    if job.status == Status.FAILED and subscriber.FAILED in addresses:
        return addresses[subscriber.FAILED], orjson.dumps(_info(job, claim))
    return None


def _progress(room: JobRoom, claim: Claim) -> tuple[str, bytes] | None:
    job = room.record(claim.id)
    if job is None or job.status != Status.RUNNING:
        return None
    address = subscriber.of(claim.answer)[subscriber.IN_PROGRESS]
    return address, orjson.dumps(_info(job, claim))


def _info(job: Job, claim: Claim) -> dict[str, Any]:
    return job_status.status_info(job, _base(claim))


def _base(claim: Claim) -> str:
    return str(claim.answer.get("base_url", ""))
