"""Other people's pygeoapi processors, served beside our processes.

They are what the configuration lists as `resources` of type process that are none of ours. Their
runs are always jobs, waited for or not: whatever they do, they can be ended.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import yaml

from samgis_process.errors import Fault, InvalidRequest, SamgisError
from samgis_process.ogc.errors import ProcessFailed
from samgis_process.ogc.process import Context, Output
from samgis_process.ogc.request import Offer

OURS = "samgis_process."  # how the dotted paths of our processors begin
_log = logging.getLogger(__name__)


def named_in(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the definitions of processors of a pygeoapi configuration that are not ours."""
    resources: Mapping[str, Any] = config.get("resources") or {}
    return {
        name: resource["processor"]
        for name, resource in resources.items()
        if resource.get("type") == "process"
        and not str((resource.get("processor") or {}).get("name", "")).startswith(OURS)
    }


def processes_of(config_path: Path) -> dict[str, ForeignProcess]:
    """Return the foreign processes of a configuration; one that cannot be loaded is left out."""
    if not named_in(yaml.safe_load(config_path.read_text(encoding="utf-8")) or {}):
        return {}
    from samgis_process.server.config import read_config  # noqa: PLC0415  pygeoapi takes seconds

    found = {}
    for name, definition in named_in(read_config(config_path)).items():
        try:
            process = ForeignProcess.loaded(name, definition)
            Offer(process)  # its description may be no description
            found[name] = process
        except Exception:  # noqa: BLE001  somebody else's code, which may do anything
            _log.exception("process %s of the configuration cannot be loaded: not served", name)
    return found


class ForeignProcess:
    """One of them, as a process of ours.

    Args:
        name: its id here, whatever it calls itself.
        processor: made for one run; pygeoapi makes one for each request too.
    """

    apart = True  # its runs are jobs: see `ogc.process.Process`

    def __init__(self, name: str, processor: Any) -> None:
        self._processor = processor
        metadata: dict[str, Any] = copy.deepcopy(processor.metadata)
        for key in ("title", "description"):
            metadata[key] = _in_one_language(metadata.get(key, ""))
        metadata.setdefault("version", "0")
        self.description: Mapping[str, Any] = metadata | {
            "id": name,
            "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        }

    @classmethod
    def loaded(cls, name: str, definition: Mapping[str, Any]) -> ForeignProcess:
        """Return the process of a processor's definition; raises whatever loading it raises."""
        from pygeoapi.plugin import load_plugin  # noqa: PLC0415  it takes seconds

        return cls(name, load_plugin("process", dict(definition)))

    def run(self, inputs: dict[str, Any], context: Context) -> Mapping[str, Output]:
        """Run it.

        Raises:
            InvalidRequest: it says that the request is wrong.
            ProcessFailed: it fails, or returns what cannot be sent.
        """
        from pygeoapi.process.base import ProcessorExecuteError  # noqa: PLC0415

        name = self.description["id"]
        wanted: dict[str, Any] = {one: {} for one in context.outputs}
        more = {"outputs": wanted} if getattr(self._processor, "supports_outputs", False) else {}
        try:
            media_type, value = self._processor.execute(inputs, **more)
        except ProcessorExecuteError as error:
            raise _told(name, error) from error
        except SamgisError:
            raise
        except Exception as error:  # somebody else's code, which may raise anything
            _log.exception("process %s failed", name)
            raise ProcessFailed(
                f"The process {name} failed; the server's log says more."
            ) from error
        return self._outputs(str(media_type or "application/json"), value)

    def _outputs(self, media_type: str, value: Any) -> dict[str, Output]:
        names = list(self.description.get("outputs", {})) or ["result"]
        if isinstance(value, dict) and len(names) > 1 and value.keys() <= set(names):
            return {one: self._output("application/json", each) for one, each in value.items()}
        return {names[0]: self._output(media_type, value)}

    def _output(self, media_type: str, value: Any) -> Output:
        if isinstance(value, bytes | bytearray):
            return Output(media_type, bytes(value))
        try:
            orjson.dumps(value)
        except TypeError as error:
            raise ProcessFailed(
                f"The process {self.description['id']} returned what is no JSON: "
                f"{type(value).__name__}."
            ) from error
        return Output(media_type, value)


def _in_one_language(text: Any) -> str:
    """Return a text; pygeoapi's may be given in several languages."""
    if isinstance(text, Mapping):
        return str(text.get("en") or next(iter(text.values()), ""))
    return str(text)


def _told(name: str, error: Any) -> SamgisError:
    """Return a processor's own error as one of ours: it says whose fault it is, and in words."""
    words = str(getattr(error, "user_msg", None) or error or "it does not say why")[:1000]
    status = getattr(error, "http_status_code", HTTPStatus.BAD_REQUEST)
    if int(status) < HTTPStatus.INTERNAL_SERVER_ERROR:
        return InvalidRequest(Fault("inputs", f"are refused by {name}: {words}"))
    return ProcessFailed(f"The process {name} failed: {words}")
