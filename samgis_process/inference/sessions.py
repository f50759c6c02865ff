"""onnxruntime's sessions: opened from verified files, with the options we measured."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import Manifest, sha256_of

REINSTALL = "run `samgis-process models remove {0}` and `samgis-process models install {0}`"

# By the names that settings use.
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


_PATHS = re.compile(r"\S*/\S+(?: \S+ \S+\(.*?\))?")
LOOK_S = 0.02  # between questions whether a run is still wanted
_is_cancelled: ContextVar[Callable[[], bool] | None] = ContextVar("is_cancelled", default=None)


@contextmanager
def stoppable(is_cancelled: Callable[[], bool]) -> Iterator[None]:
    """Let runs of this thread fail soon after `is_cancelled` returns true."""
    token = _is_cancelled.set(is_cancelled)
    try:
        yield
    finally:
        _is_cancelled.reset(token)


@contextmanager
def _watched() -> Iterator[Any]:
    """Yield the options of a run, which ends when nobody wants it; None where nobody asks."""
    is_cancelled = _is_cancelled.get()
    if is_cancelled is None:
        yield None
        return
    options, done = ort.RunOptions(), threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_S):
            if is_cancelled():
                options.terminate = True
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield options
    finally:
        done.set()
        watcher.join()


@dataclass(frozen=True, slots=True)
class Runtime:
    """How models are run.

    Attributes:
        threads: of one run; 0 takes one for each core.
        provider: a key of PROVIDERS.
    """

    threads: int = 0
    provider: str = "cpu"

    @property
    def is_plain(self) -> bool:
        """Whether the processor alone runs them."""
        return self.provider == "cpu"


class Node(NamedTuple):
    """An input or output of a graph; a length that is only known when run is a name or None."""

    name: str
    type: str
    shape: tuple[int | str | None, ...]


class Session:
    """One opened graph.

    Args:
        device: where values stay between runs (onnxruntime's name of it); None for plain arrays.
    """

    def __init__(self, session: Any, device: str | None = None) -> None:
        self._session = session
        self._device = device
        self.inputs = {node.name: _node(node) for node in session.get_inputs()}
        self.outputs = {node.name: _node(node) for node in session.get_outputs()}

    def run(self, outputs: Mapping[str, str], feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs asked for, {output: name}, by their new names."""
        with _watched() as options:
            if self._device:
                values = self._run_bound(list(outputs), feeds, options)
            else:
                values = self._session.run(list(outputs), dict(feeds), options)
        return dict(zip(outputs.values(), values, strict=True))

    def resident(self, array: NDArray[np.float32]) -> Any:
        """Return an array where the graph runs, so that many runs need not carry it there."""
        return ort.OrtValue.ortvalue_from_numpy(array, self._device, 0) if self._device else array

    def _run_bound(
        self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any
    ) -> list[Any]:
        binding = self._session.io_binding()
        for name, value in feeds.items():
            if isinstance(value, np.ndarray):
                binding.bind_cpu_input(name, np.ascontiguousarray(value))
            else:
                binding.bind_ortvalue_input(name, value)
        for name in outputs:
            binding.bind_output(name, "cpu")
        self._session.run_with_iobinding(binding, options)
        return list(binding.copy_outputs_to_cpu())


def open_session(path: Path, manifest: Manifest, runtime: Runtime) -> Session:
    """Return a session of an installed file.

    Raises:
        ModelUnavailable: the file is missing, damaged or no graph, or the provider is not to be
            had here.
    """
    _verify(path, manifest)
    device = None if runtime.is_plain else runtime.provider
    return Session(_opened(path, manifest.id, runtime), device)


def _verify(path: Path, manifest: Manifest) -> None:
    remedy = REINSTALL.format(manifest.id)
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise ModelUnavailable(f"{path.name} of {manifest.id} is missing; {remedy}") from error
    if digest != manifest.files[path.name].sha256:
        raise ModelUnavailable(f"{path.name} of {manifest.id} is damaged; {remedy}")


def _opened(path: Path, model_id: str, runtime: Runtime) -> Any:
    provider = PROVIDERS[runtime.provider]
    offered = ort.get_available_providers()
    if provider not in offered:
        have = ", ".join(name for name, known in PROVIDERS.items() if known in offered)
        raise ModelUnavailable(
            f"samgis.models.provider is {runtime.provider}, and the onnxruntime installed here "
            f"offers {have}; install a build that has it, or set cpu"
        )
    try:
        session = ort.InferenceSession(path, session_options(runtime), providers=[provider])
    except Exception as error:  # onnxruntime's errors have no common base of their own
        raise ModelUnavailable(
            f"{path.name} of {model_id} cannot be opened: {_reason(error)}"
        ) from error
    if session.get_providers()[0] != provider:  # it falls back without an error
        raise ModelUnavailable(
            f"{runtime.provider} cannot run {path.name} of {model_id} on this machine; "
            "set samgis.models.provider to cpu, or mend its driver"
        )
    return session


def session_options(runtime: Runtime) -> ort.SessionOptions:
    """Return the options that all sessions are opened with."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = runtime.threads or cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # a foreign export's graph may be untidy; its errors are raised
    # Without the pattern the encoder's peak falls from 684 to 410 MB for 1 to 2 % of its time.
    options.enable_mem_pattern = False
    # Spinning threads take the cores that other requests need: 120 against 73 ms a decoder run.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def require(nodes: Mapping[str, Node], expected: Mapping[str, Sequence[Any]], where: str) -> None:
    """Refuse a graph whose inputs or outputs are not float32 of these names and shapes.

    Args:
        expected: shapes by name; None stands for any length.

    Raises:
        ModelUnavailable: saying what was found instead.
    """
    for name, shape in expected.items():
        node = nodes.get(name)
        if node is None or node.type != "tensor(float)" or not _fits(node.shape, shape):
            got = f"{node.type} {list(node.shape)}" if node else f"only {', '.join(nodes)}"
            raise ModelUnavailable(f"{where}: expected {name} float32 {list(shape)}, found {got}")


def _fits(shape: Sequence[Any], expected: Sequence[Any]) -> bool:
    return len(shape) == len(expected) and all(
        want is None or got == want or not isinstance(got, int)
        for got, want in zip(shape, expected, strict=True)
    )


def _node(node: Any) -> Node:
    return Node(node.name, node.type, tuple(node.shape))


def _reason(error: Exception) -> str:
    """Return what onnxruntime says, without the paths that it names."""
    words = _PATHS.sub("", str(error)[:2000]).split(" : ")[-1]
    words = " ".join(words.replace("Load model from", "").replace("failed:", "").split())
    return words[:240] or type(error).__name__


def cores() -> int:
    """Return the cores this process may use."""
    return (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
