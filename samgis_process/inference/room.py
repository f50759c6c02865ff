"""The models a server has: each opened once in a process, shared by all who ask."""

from __future__ import annotations

import threading
from pathlib import Path

from samgis_process.errors import ModelUnavailable
from samgis_process.inference import catalogue
from samgis_process.inference.families import FAMILIES
from samgis_process.inference.model import Model
from samgis_process.inference.sessions import Runtime

_models: dict[tuple[Path, Runtime], Model] = {}
_models_lock = threading.Lock()


def load(directory: Path, runtime: Runtime) -> Model:
    """Return the model installed in `directory`; the same object for every caller of the process.

    Raises:
        ModelUnavailable: there is none, or no adapter knows its family.
    """
    key = (directory.resolve(), runtime)
    with _models_lock:
        if key not in _models:
            manifest = catalogue.read_manifest(directory)
            family = FAMILIES.get(manifest.family) if manifest else None
            if manifest and family is None:
                known = ", ".join(FAMILIES)
                raise ModelUnavailable(
                    f"{manifest.id} is of the family {manifest.family!r}; known are {known}"
                )
            _models[key] = (family or FAMILIES["sam"])(*key)
        return _models[key]


class ModelRoom:
    """The installed models by id."""

    def __init__(self, directory: Path, default: str, runtime: Runtime) -> None:
        self.default_id = default
        self._directory = directory
        self._runtime = runtime

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of what is installed, the default first."""
        found = catalogue.installed(self._directory)
        return (self.default_id, *sorted(found.keys() - {self.default_id}))

    @property
    def default(self) -> Model:
        """The model that answers unless a request names another."""
        return self.get(self.default_id)

    def get(self, model_id: str) -> Model:
        """Return a model by its id.

        Raises:
            ModelUnavailable: it is not installed, or cannot be opened.
        """
        return load(self.directory(model_id), self._runtime)

    def health(self) -> list[dict[str, str]]:
        """Return id and digest of the default model, then the ids of what else is installed."""
        _, *others = self.ids
        default = {"id": self.default_id, "digest": self.default.digest}
        return [default, *({"id": model_id} for model_id in others)]

    def directory(self, model_id: str) -> Path:
        """Return where a model lies or would lie."""
        entry = catalogue.entries().get(model_id)
        if entry:
            return entry.directory(self._directory)
        found = catalogue.installed(self._directory).get(model_id)
        return found[0] if found else self._directory / model_id
