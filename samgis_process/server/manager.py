"""Our jobs as pygeoapi's process manager, by dotted path: stock pygeoapi keeps and runs them too.

    server:
      manager:
        name: samgis_process.server.manager.JobManager
        connection: ''   # the database of jobs; by default what samgis.jobs.url says
        output_dir: ''   # not used: samgis.results.directory

A server of ours with the same configuration sees the same jobs.
"""

from __future__ import annotations

import atexit
import threading
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from pygeoapi.process.base import (
    BaseProcessor,
    JobNotFoundError,
    JobResultNotFoundError,
)
from pygeoapi.process.manager.base import BaseManager
from pygeoapi.util import (
    DATETIME_FORMAT,
    JobStatus,
    RequestedProcessExecutionMode,
    RequestedResponse,
    Subscriber,
)

from samgis_process.errors import SamgisError
from samgis_process.jobs import JobRoom
from samgis_process.jobs.job import Job, Status
from samgis_process.ogc import execute, job_results
from samgis_process.ogc import request as requests
from samgis_process.ogc import subscriber as subscribers
from samgis_process.ogc.jobs import JobQuery
from samgis_process.ogc.negotiation import JSON
from samgis_process.ogc.owner import NOBODY
from samgis_process.ogc.process import Context
from samgis_process.ogc.request import Offer
from samgis_process.server.fetching import fetcher
from samgis_process.server.foreign import ForeignProcess
from samgis_process.server.processors import ProcessProcessor, as_pygeoapi_error
from samgis_process.settings import Settings
from samgis_process.settings import load as load_settings

LOOK_S = 1.0  # between looks at a job that another server may be working on
MOST = 10_000  # jobs in one list
BINARY = "application/octet-stream"  # what pygeoapi says while there is no result

Answer = tuple[str, str, Any, JobStatus, dict[str, str]]


class JobManager(BaseManager):
    """Makes a job of every run, also of one that is waited for: pygeoapi's answers name it.

    Its worker processes start with the first request for a process or for jobs.
    """

    def __init__(self, manager_def: dict[str, Any]) -> None:
        super().__init__(manager_def)
        self.is_async = True
        self.supports_subscribing = True
        self._opening = threading.Lock()
        self._opened: tuple[Settings, JobRoom] | None = None

    def get_jobs(
        self, status: Any = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]:
        """Return some jobs, newest first; `numberMatched` tells whether others follow."""
        begin = offset or 0
        statuses = (JobStatus(status).value,) if status else ()
        query = JobQuery(NOBODY, begin + (limit or MOST) + 1, statuses=statuses)
        found = self._room().find(query)
        shown = found[begin : begin + (limit or MOST)]
        return {"jobs": [self._shown(job) for job in shown], "numberMatched": len(found)}

    def get_job(self, job_id: str) -> dict[str, Any]:
        """Return a job as pygeoapi shows it.

        Raises:
            JobNotFoundError: there is none of this id.
        """
        return self._shown(self._job(job_id))

    def get_job_result(self, job_id: str) -> tuple[str, Any]:
        """Return (media type, value) of what came of a job.

        Raises:
            JobNotFoundError: there is none of this id.
            JobResultNotFoundError: nothing came of it (yet), or it is not kept any more.
        """
        try:
            return self._result(self._job(job_id))
        except SamgisError as error:
            raise JobResultNotFoundError(str(error)) from error

    def delete_job(self, job_id: str) -> bool:
        """Dismiss a job, and end its work.

        Raises:
            JobNotFoundError: there is none of this id, or it was dismissed before.
        """
        before = self._room().dismiss(job_id, NOBODY)
        if before is None or before.status == Status.DISMISSED:
            raise JobNotFoundError
        return True

    def execute_process(
        self,
        process_id: str,
        data_dict: dict[str, Any],
        execution_mode: RequestedProcessExecutionMode | None = None,
        requested_outputs: dict[str, Any] | None = None,
        subscriber: Subscriber | None = None,
        requested_response: str | None = RequestedResponse.raw.value,
    ) -> Answer:
        """Return (job id, media type, value, status, headers); of a job to come, no value.

        Raises:
            ProcessorExecuteError: the request or its run failed; says how.
        """
        processor = self.get_processor(process_id)  # of this request alone
        ours = isinstance(processor, ProcessProcessor)
        offer = processor.offer if ours else Offer(ForeignProcess(process_id, processor))
        body: dict[str, Any] = {"inputs": data_dict, "outputs": requested_outputs}
        if requested_response == RequestedResponse.document.value:  # raw may be a default
            body["response"] = requested_response
        if subscriber:
            body["subscriber"] = _addresses(subscriber)
        try:
            job = self._submitted(offer, body)
            if _is_async(processor, execution_mode):
                applied = {"Preference-Applied": "respond-async"}
                return job.id, JSON, None, JobStatus.accepted, applied
            return job.id, *self._result(self._end_of(job)), JobStatus.successful, {}
        except SamgisError as error:
            raise as_pygeoapi_error(error) from error

    def _submitted(self, offer: Offer, body: Mapping[str, Any]) -> Job:
        settings, room = self._open()
        check = room.listener.check if room.listener else None
        wanted = requests.read(body, offer, None, fetcher(settings.href), check)
        context = Context(str(uuid.uuid4()), owner=NOBODY)
        kept = execute.to_store(offer, wanted, wanted.delivery, context)
        return room.submit(offer.id, NOBODY, *kept)

    def _end_of(self, job: Job) -> Job:
        ended = threading.Event()
        with self._room().watching(job.id, ended.set):
            while (job := self._job(job.id)).is_open:
                ended.wait(LOOK_S)
        return job

    def _result(self, job: Job) -> tuple[str, Any]:
        answer = job_results.answer(self._room(), job, None, "")
        media_type, content = answer.media_type or JSON, bytes(answer.body)
        return media_type, orjson.loads(content) if content and media_type == JSON else content

    def _job(self, job_id: str) -> Job:
        job = self._room().get(job_id, NOBODY)
        if job is None:
            raise JobNotFoundError
        return job

    def _shown(self, job: Job) -> dict[str, Any]:
        """Return a job under pygeoapi's names; it cannot sort jobs without `started`."""
        return {
            "type": "process",
            "identifier": job.id,
            "process_id": job.process_id,
            "status": job.status.value,
            "message": job.message,
            "progress": job.progress,
            "created": _text(job.created),
            "started": _text(job.started or job.created),
            "finished": _text(job.finished) if job.finished else None,
            "updated": _text(job.updated),
            "mimetype": self._media_type(job),
        }

    def _media_type(self, job: Job) -> str:
        if job.status != Status.SUCCESSFUL:
            return BINARY
        try:
            kept = list(self._room().outputs(job).values())
        except SamgisError:
            return BINARY
        return kept[0].media_type if len(kept) == 1 else JSON

    def _room(self) -> JobRoom:
        return self._open()[1]

    def _open(self) -> tuple[Settings, JobRoom]:
        """Open the jobs on first use: pygeoapi makes managers also to describe processes."""
        with self._opening:
            if self._opened is None:
                self._opened = _opened(self.connection)
            return self._opened


def _opened(url: str | None) -> tuple[Settings, JobRoom]:
    # Only who runs jobs needs all that they stand on.
    from samgis_process.server.wiring import config_path, job_room  # noqa: PLC0415

    path: Path = config_path()
    settings = load_settings(path)
    if url:
        jobs = settings.jobs.model_copy(update={"url": url})
        settings = settings.model_copy(update={"jobs": jobs})
    room = job_room(settings, path)
    room.start()
    atexit.register(room.close)
    return settings, room


def _is_async(processor: BaseProcessor, mode: RequestedProcessExecutionMode | None) -> bool:
    offered = processor.metadata.get("jobControlOptions", ["sync-execute"])
    asked = mode == RequestedProcessExecutionMode.respond_async
    return "async-execute" in offered and (asked or "sync-execute" not in offered)


def _addresses(subscriber: Subscriber) -> dict[str, str]:
    values = (subscriber.success_uri, subscriber.in_progress_uri, subscriber.failed_uri)
    return {name: uri for name, uri in zip(subscribers.URIS, values, strict=True) if uri}


def _text(moment: datetime) -> str:
    return moment.strftime(DATETIME_FORMAT)
