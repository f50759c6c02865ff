"""Our processes as pygeoapi's processors, by dotted path: they run under stock pygeoapi too.

A further process is one line at the end.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from pygeoapi.process.base import BaseProcessor, ProcessorExecuteError
from pygeoapi.process.manager.dummy import DummyManager

from samgis_process.errors import InvalidRequest, SamgisError
from samgis_process.ogc import encode, execute
from samgis_process.ogc.problems import problem_for
from samgis_process.ogc.process import Context, Output, Process
from samgis_process.ogc.request import Offer
from samgis_process.server.config import read_config


class DescribedProcessor(BaseProcessor):
    """A description, for pygeoapi's pages; its process runs elsewhere."""

    def __init__(self, processor_def: Mapping[str, Any]) -> None:
        # pygeoapi writes into the metadata of the processors it makes.
        super().__init__(processor_def, copy.deepcopy(processor_def["description"]))


class JobsElsewhere(DummyManager):
    """Tells pygeoapi that there are jobs, so that its pages link to them; others keep them."""

    def __init__(self, manager_def: dict[str, Any]) -> None:
        super().__init__(manager_def)
        self.is_async = True


class ProcessProcessor(BaseProcessor):
    """A process as a processor; translates, no more."""

    def __init__(
        self, processor_def: Mapping[str, Any], process: Process, base_url: str = ""
    ) -> None:
        # A value is all that pygeoapi's managers transmit.
        described = {**process.description, "outputTransmission": ["value"]}
        super().__init__(processor_def, copy.deepcopy(described))
        self.supports_outputs = True
        self._offer = Offer(process)
        self._base_url = base_url

    def execute(
        self, data: dict[str, Any], outputs: dict[str, Any] | None = None
    ) -> tuple[str, Any]:
        """Return (media type, value) of the one output, or the document of several."""
        context = Context(str(uuid.uuid4()), base_url=self._base_url)
        try:
            found = execute.perform_json(self._offer, data, outputs, context)
        except SamgisError as error:
            raise _translated(error) from error
        return _as_pair(found)


def _as_pair(outputs: Mapping[str, Output]) -> tuple[str, Any]:
    if len(outputs) != 1:
        return "application/json", encode.document(outputs)
    (output,) = outputs.values()
    return output.media_type, output.value


def _translated(error: SamgisError) -> ProcessorExecuteError:
    """Return the error as pygeoapi's managers show it."""
    message = _message(error)
    translated = ProcessorExecuteError(message, user_msg=message)
    translated.http_status_code = problem_for(error).status
    return translated


def _message(error: SamgisError) -> str:
    """Return the error in one string, which is all that pygeoapi shows of it."""
    if not isinstance(error, InvalidRequest):
        return str(error)
    return " ".join(f"{f.input}: {f.message}. {f.remedy}".strip() for f in error.faults)


def _nowhere() -> str:
    return ""


def processor(
    process_id: str,
    processes: Callable[[], Mapping[str, Process]],
    address: Callable[[], str] = _nowhere,
) -> type[Any]:
    """Return a processor class for one process, fetched when pygeoapi makes a processor."""

    class Processor(ProcessProcessor):
        def __init__(self, processor_def: Mapping[str, Any]) -> None:
            super().__init__(processor_def, processes()[process_id], address())

    Processor.__name__ = Processor.__qualname__ = f"{process_id.title().replace('-', '')}Processor"
    Processor.__doc__ = f"`{process_id}` as a pygeoapi processor."
    return Processor


def _served() -> Mapping[str, Process]:
    # Only who runs a process needs all that it stands on; pages need its description alone.
    from samgis_process.server.wiring import default_services  # noqa: PLC0415

    return default_services().processes


def _address() -> str:
    """Return the server's address in links: our own setting, or pygeoapi's."""
    from samgis_process.server.wiring import config_path, default_services  # noqa: PLC0415

    public = default_services().public_url
    return str(public or read_config(config_path())["server"]["url"]).rstrip("/")


DemCompositeProcessor = processor("dem-composite", _served, _address)
SegmentProcessor = processor("segment", _served, _address)
