"""What every model can do, whatever its family: see a picture once, answer to prompts on it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import Manifest, read_manifest
from samgis_process.inference.frame import GRID, InputFrame
from samgis_process.inference.sessions import Runtime, Session, open_session

CLIP = 32.0  # the range in which earlier logits helped as mask prompt
PADDING = -1.0  # label of the point that stands where a box is missing

Features = Mapping[str, NDArray[np.float16]]  # what the encoder says of a picture, by name
Seen = Mapping[str, Any]  # the same as the decoder takes it, made once for many prompts


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What one decoder run says: logits float32 (k, 256, 256), predicted IoU float32 (k,)."""

    logits: NDArray[np.float32]
    predicted_iou: NDArray[np.float32]


class Model(ABC):
    """An installed model; its sessions are opened when first needed, each once.

    Safe for many threads: onnxruntime's sessions are, and opening is guarded.

    Attributes:
        preprocessing: version of the way from picture to encoder input; change it with the pixels.
    """

    preprocessing: ClassVar[str] = "sam-1:pillow-bilinear"

    def __init__(self, directory: Path, runtime: Runtime) -> None:
        self.manifest = _manifest(directory)
        self.runtime = runtime
        self._directory = directory
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        # One picture at a time: a run takes every core and some 400 MB, and two at once would
        # take both twice without ending sooner.
        self._encoding = threading.Lock()

    @property
    def id(self) -> str:
        """The model's name in the catalogue."""
        return self.manifest.id

    @property
    def encoder_digest(self) -> str:
        """What features follow from, for the keys of those that are kept: SHA-256, hex."""
        return self.manifest.files[self.manifest.encoder].sha256

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of both graphs in use, hex."""
        return self.manifest.digest_of(self.manifest.encoder, self.manifest.decoder)

    @property
    def single(self) -> bool:
        """Whether the first mask is the one reading of a clear prompt.

        The others are then whole, part and subpart; else all masks are readings of one kind.
        """
        return True

    def frame(self, width: int, height: int) -> InputFrame:
        """Return how a picture of this size lies before the model."""
        return InputFrame(width, height)

    def encode(self, image: NDArray[np.uint8]) -> Features:
        """Return what the encoder says of an RGB image (rows, cols, 3)."""
        session = self._session(self.manifest.encoder)
        with self._encoding:  # the feeds, too: they are four times as large as the picture
            found = session.run(self._feature_names(), self._picture_feeds(image))
        return {name: np.asarray(value, np.float16) for name, value in found.items()}

    def see(self, features: Features) -> Seen:
        """Return features as the decoder takes them; once for any number of prompts."""
        session = self._session(self.manifest.decoder)
        return {
            name: session.resident(value.astype(np.float32)) for name, value in features.items()
        }

    def decode(
        self,
        seen: Seen,
        coords: NDArray[np.float32],
        labels: NDArray[np.float32],
        earlier: NDArray[np.float16] | None = None,
    ) -> Decoded:
        """Run the decoder on one object's prompts.

        Args:
            seen: the picture, from `see`.
            coords: (n, 2) in the input frame, counted from pixel centres.
            labels: (n,); 1 include, 0 exclude, 2 and 3 the corners of a box.
            earlier: logits (256, 256) of the answer before the last prompt, if there is one.
        """
        if not np.isin(labels, (2, 3)).any():
            coords = np.vstack([coords, np.zeros((1, 2), np.float32)])
            labels = np.append(labels, np.float32(PADDING))
        mask = np.zeros((GRID, GRID), np.float32) if earlier is None else earlier
        feeds = {
            "point_coords": coords[None].astype(np.float32),
            "point_labels": labels[None].astype(np.float32),
            "mask_input": np.clip(mask.astype(np.float32), -CLIP, CLIP)[None, None],
            "has_mask_input": np.array([earlier is not None], np.float32),
        }
        return self._decode(seen, feeds)

    def warm_up(self) -> None:
        """Open the sessions now, so that the first request need not wait for it.

        Where an accelerator runs them, a picture is tried too: some answer with nonsense.

        Raises:
            ModelUnavailable: a file is missing, damaged or of another kind, or the answer is none.
        """
        for name in (self.manifest.encoder, self.manifest.decoder):
            self._session(name)
        if not self.runtime.is_plain:
            self.try_out()

    def try_out(self) -> None:
        """See a picture and answer one prompt.

        Raises:
            ModelUnavailable: what comes out are no numbers.
        """
        picture = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
        features = self.encode(picture)
        point = np.array([[512, 512]], np.float32)
        decoded = self.decode(self.see(features), point, np.ones(1, np.float32))
        parts: list[NDArray[Any]] = [*features.values(), decoded.logits, decoded.predicted_iou]
        if not all(np.isfinite(part).all() for part in parts):
            raise ModelUnavailable(
                f"{self.id} answers with numbers that are none on {self.runtime.provider}; "
                "set samgis.models.provider to cpu"
            )

    @abstractmethod
    def _picture_feeds(self, image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return what the encoder is given."""

    @abstractmethod
    def _feature_names(self) -> Mapping[str, str]:
        """Return under which names the encoder's outputs are kept: {output: name}."""

    @abstractmethod
    def _decode(self, seen: Seen, feeds: dict[str, NDArray[np.float32]]) -> Decoded:
        """Run the decoder on feeds named as SAM's export names them."""

    @abstractmethod
    def _check(self, name: str, session: Session) -> None:
        """Refuse a graph that is not of this family.

        Raises:
            ModelUnavailable: saying what was expected and what was found.
        """

    def _session(self, name: str) -> Session:
        session = self._sessions.get(name)
        if session is None:
            with self._lock:
                session = self._sessions.get(name)
                if session is None:
                    session = open_session(self._directory / name, self.manifest, self.runtime)
                    self._check(name, session)
                    self._sessions[name] = session
        return session


def _manifest(directory: Path) -> Manifest:
    manifest = read_manifest(directory)
    if manifest is None:
        raise ModelUnavailable(
            f"the model {directory.name} is not installed in {directory.parent}; run "
            "`samgis-process models install`, or say in SAMGIS_MODELS_DIR where it is"
        )
    return manifest
