"""The family `sam`: one encoder run per picture, one decoder run per object and prompt set."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import (
    DECODER,
    ENCODER,
    Manifest,
    read_manifest,
    sha256_of,
)
from samgis_process.inference.frame import preprocess

GRID = 256  # side of the decoder's mask grid
CLIP = 32.0  # the range in which earlier logits helped as mask prompt
PADDING = -1.0  # label of the point that stands where a box is missing

ENCODER_CONTRACT = ({"image": [1, 3, 1024, 1024]}, {"tokens": [4096, 256]})
DECODER_CONTRACT = (
    {
        "tokens": [4096, 256],
        "point_coords": [1, None, 2],
        "point_labels": [1, None],
        "mask_input": [1, 1, GRID, GRID],
        "has_mask_input": [1],
    },
    {"low_res_masks": [1, 4, GRID, GRID], "iou_predictions": [1, 4]},
)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What one decoder run says: logits float32 (4, 256, 256), predicted IoU float32 (4,)."""

    logits: NDArray[np.float32]
    predicted_iou: NDArray[np.float32]


class SamModel:
    """A built model; its two sessions are opened when first needed, each once.

    Safe for many threads: onnxruntime sessions are, and opening is guarded.
    """

    input_side = 1024

    def __init__(self, directory: Path, threads: int = 0) -> None:
        self.manifest = _manifest(directory)
        self._directory = directory
        self._threads = threads or _cores()
        self._sessions: dict[str, ort.InferenceSession] = {}
        self._lock = threading.Lock()
        # One picture at a time: a run takes every core and some 400 MB, and two at once would
        # take both twice without ending sooner.
        self._encoding = threading.Lock()

    @property
    def id(self) -> str:
        """The model's name in the catalogue."""
        return self.manifest.id

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of both graphs."""
        return self.manifest.digest

    def encode(self, image: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Return the embedding, float16 (4096, 256), of an RGB image (rows, cols, 3)."""
        session = self._session(ENCODER, ENCODER_CONTRACT)
        feed = {"image": preprocess(image, self.input_side)}
        with self._encoding:
            (tokens,) = session.run(["tokens"], feed)
        return np.asarray(tokens, np.float16)

    def decode(
        self,
        tokens: NDArray[np.float32],
        coords: NDArray[np.float32],
        labels: NDArray[np.float32],
        earlier: NDArray[np.float16] | None = None,
    ) -> Decoded:
        """Run the decoder on one object's prompts.

        Args:
            tokens: embedding, float32 (4096, 256).
            coords: (n, 2) in the input frame, counted from pixel centres.
            labels: (n,); 1 include, 0 exclude, 2 and 3 the corners of a box.
            earlier: logits (256, 256) of the answer before the last prompt, if there is one.
        """
        if not np.isin(labels, (2, 3)).any():
            coords = np.vstack([coords, np.zeros((1, 2), np.float32)])
            labels = np.append(labels, np.float32(PADDING))
        mask = np.zeros((GRID, GRID), np.float32) if earlier is None else earlier
        feeds = {
            "tokens": tokens,
            "point_coords": coords[None],
            "point_labels": labels[None].astype(np.float32),
            "mask_input": np.clip(mask.astype(np.float32), -CLIP, CLIP)[None, None],
            "has_mask_input": np.array([earlier is not None], np.float32),
        }
        session = self._session(DECODER, DECODER_CONTRACT)
        logits, iou = session.run(["low_res_masks", "iou_predictions"], feeds)
        return Decoded(logits[0], iou[0])

    def warm_up(self) -> None:
        """Open both sessions now, so that the first request need not wait for it."""
        self._session(ENCODER, ENCODER_CONTRACT)
        self._session(DECODER, DECODER_CONTRACT)

    def _session(self, name: str, contract: tuple[dict[str, Any], dict[str, Any]]) -> Any:
        session = self._sessions.get(name)
        if session is None:
            with self._lock:
                session = self._sessions.get(name) or self._open(name, contract)
                self._sessions[name] = session
        return session

    def _open(self, name: str, contract: tuple[dict[str, Any], dict[str, Any]]) -> Any:
        path = self._directory / name
        _verify(path, self.manifest)
        try:
            session = ort.InferenceSession(
                path, _options(self._threads), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors have no common base of their own
            raise ModelUnavailable(f"{name} of {self.id} cannot be opened; {REBUILD}") from error
        _check(session.get_inputs(), contract[0], f"{name} of {self.id}, inputs")
        _check(session.get_outputs(), contract[1], f"{name} of {self.id}, outputs")
        return session


REBUILD = "remove its directory and run `samgis-process models install` again"

_models: dict[tuple[Path, int], SamModel] = {}
_models_lock = threading.Lock()


def load(directory: Path, threads: int = 0) -> SamModel:
    """Return the model built in `directory`; the same object for every caller of the process."""
    key = (directory.resolve(), threads)
    with _models_lock:
        if key not in _models:
            _models[key] = SamModel(*key)
        return _models[key]


def _manifest(directory: Path) -> Manifest:
    manifest = read_manifest(directory)
    if manifest is None:
        raise ModelUnavailable(
            f"the model {directory.name} is not built; run `samgis-process models install`"
        )
    return manifest


def _verify(path: Path, manifest: Manifest) -> None:
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise ModelUnavailable(f"{path.name} of {manifest.id} is missing; {REBUILD}") from error
    if digest != manifest.files[path.name].sha256:
        raise ModelUnavailable(f"{path.name} of {manifest.id} is damaged; {REBUILD}")


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Without the pattern the encoder's peak falls from 684 to 410 MB for 1 to 2 % of its time.
    options.enable_mem_pattern = False
    # Spinning threads take the cores that other requests need: 120 against 73 ms a decoder run.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _check(nodes: list[Any], expected: dict[str, list[int | None]], where: str) -> None:
    found = {node.name: node for node in nodes}
    for name, shape in expected.items():
        node = found.get(name)
        if node is None or node.type != "tensor(float)" or not _fits(node.shape, shape):
            got = f"{node.type} {node.shape}" if node else f"only {', '.join(found)}"
            raise ModelUnavailable(f"{where}: expected {name} float32 {shape}, found {got}")


def _fits(shape: list[Any], expected: list[int | None]) -> bool:
    return len(shape) == len(expected) and all(
        want is None or got == want or isinstance(got, str)
        for got, want in zip(shape, expected, strict=True)
    )


def _cores() -> int:
    """Return the cores this process may use."""
    return (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
