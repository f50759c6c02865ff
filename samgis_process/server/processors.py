"""Our processes as pygeoapi's processors, by dotted path: they run under stock pygeoapi too.

A further process is one line at the end.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from pygeoapi.process.base import BaseProcessor, ProcessorExecuteError
from pygeoapi.process.manager.dummy import DummyManager

from samgis_process.errors import SamgisError
from samgis_process.ogc import encode, execute, problems
from samgis_process.ogc.process import Context, Output, Process
from samgis_process.ogc.request import Offer


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

    def __init__(self, processor_def: Mapping[str, Any], process: Process) -> None:
        # A value is all that pygeoapi's managers transmit.
        described = {**process.description, "outputTransmission": ["value"]}
        super().__init__(processor_def, copy.deepcopy(described))
        self.supports_outputs = True
        self.offer = Offer(process)

    def execute(
        self, data: dict[str, Any], outputs: dict[str, Any] | None = None
    ) -> tuple[str, Any]:
        """Return (media type, value) of the one output, or the document of several."""
        context = Context(str(uuid.uuid4()))  # no address: nobody there serves files of ours
        try:
            found = execute.perform_json(self.offer, data, outputs, context)
        except SamgisError as error:
            raise as_pygeoapi_error(error) from error
        return _as_pair(found)


def _as_pair(outputs: Mapping[str, Output]) -> tuple[str, Any]:
    if len(outputs) != 1:
        return "application/json", encode.document(outputs)
    (output,) = outputs.values()
    return output.media_type, output.value


def as_pygeoapi_error(error: SamgisError) -> ProcessorExecuteError:
    """Return the error as pygeoapi's managers show it: a status, and all else in one string."""
    details = problems.body(error, "")
    faults = details.get("errors")
    message = " ".join(map(_sentence, faults)) if faults else str(details["detail"])
    translated = ProcessorExecuteError(message, user_msg=message)
    translated.http_status_code = HTTPStatus(details["status"])
    return translated


def _sentence(fault: Mapping[str, str]) -> str:
    return f"{fault['input']}: {fault['message']}. {fault['remedy']}".strip()


def processor(process_id: str, processes: Callable[[], Mapping[str, Process]]) -> type[Any]:
    """Return a processor class for one process, fetched when pygeoapi makes a processor."""

    class Processor(ProcessProcessor):
        def __init__(self, processor_def: Mapping[str, Any]) -> None:
            super().__init__(processor_def, processes()[process_id])

    Processor.__name__ = Processor.__qualname__ = f"{process_id.title().replace('-', '')}Processor"
    Processor.__doc__ = f"`{process_id}` as a pygeoapi processor."
    return Processor


def _served() -> Mapping[str, Process]:
    # Only who runs a process needs all that it stands on; pages need its description alone.
    from samgis_process.server.wiring import default_services  # noqa: PLC0415

    return default_services().processes


DemCompositeProcessor = processor("dem-composite", _served)
SegmentProcessor = processor("segment", _served)
