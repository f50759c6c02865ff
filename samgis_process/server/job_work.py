"""Processes as the work of jobs, inside a worker process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from samgis_process import tally
from samgis_process.inference.sessions import stoppable
from samgis_process.jobs.outputs import OutputFile
from samgis_process.ogc import encode, execute, problems
from samgis_process.ogc.process import Output, Process
from samgis_process.server.logs import set_up_logging


class ProcessWork:
    """Runs the request of a job with the process that it names."""

    def __init__(self, processes: Mapping[str, Process]) -> None:
        self._processes = processes

    def run(
        self,
        name: str,
        request: Mapping[str, Any],
        report: Callable[[float, str], None],
        is_cancelled: Callable[[], bool],
    ) -> dict[str, OutputFile]:
        """Return the outputs of the request as files."""
        with stoppable(is_cancelled):
            client = execute.Watcher(report, is_cancelled)
            found = execute.perform_stored(self._processes, name, request, client)
        return {name: _file(output) for name, output in found.items()}

    def drained(self) -> tally.Counts:
        """Return what was counted since the last time this was asked."""
        return tally.drained()

    def problem(self, error: Exception, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the problem details of an error, and log what is not the request's fault."""
        return explain(error, request)


def explain(error: Exception, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the problem details of an error, and log what is not the request's fault."""
    request_id = str(request.get("request_id", ""))
    details = problems.body(error, request_id)
    problems.log(error, details, request_id)
    return details


def factory(config_path: Path) -> Callable[[], ProcessWork]:
    """Return what makes the work in a worker: all that the configuration describes."""
    return partial(_build, config_path)


def _build(config_path: Path) -> ProcessWork:
    # Only workers need all that processes stand on.
    from samgis_process.server.wiring import build_services  # noqa: PLC0415
    from samgis_process.settings import load  # noqa: PLC0415

    settings = load(config_path)
    set_up_logging(json_lines=settings.server.log == "json")
    return ProcessWork(build_services(settings, config_path).processes)


def _file(output: Output) -> OutputFile:
    return OutputFile(output.media_type, encode.kind(output), encode.to_bytes(output))
