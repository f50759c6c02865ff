"""What lies in the directory of an installed model: its graphs, and `manifest.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MANIFEST = "manifest.json"
CATALOGUE, LOCAL = "catalogue", "local"  # where a model comes from


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file that is known by its content.

    Attributes:
        bytes: its size.
        sha256: in hex.
        role: `encoder` or `decoder`; empty where the name tells: `encoder.onnx` is the encoder.
    """

    name: str
    bytes: int
    sha256: str
    role: str = ""

    @property
    def plays(self) -> str:
        """The role, told or taken from the name."""
        return self.role or Path(self.name).stem


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an installed model is, and the files it consists of.

    Attributes:
        family: the adapter that knows the graphs' inputs and outputs.
        recipe: what the files follow from, as the catalogue has it.
        checkpoint_sha256: of what the graphs were authored from; empty where they were not.
        files: by name; one of them is the encoder, one the decoder.
        origin: `catalogue`, or `local` for files that a user brought.
    """

    id: str
    family: str
    recipe: str
    checkpoint_sha256: str
    files: Mapping[str, FileSpec]
    licence: str
    attribution: str
    built_with: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    licence_url: str = ""
    origin: str = CATALOGUE

    @property
    def encoder(self) -> str:
        """Name of the encoder's file."""
        return self.files_by_role["encoder"].name

    @property
    def decoder(self) -> str:
        """Name of the decoder's file."""
        return self.files_by_role["decoder"].name

    @property
    def files_by_role(self) -> Mapping[str, FileSpec]:
        """The files by what they are for: `encoder`, `decoder`, and more, as `encoder-int8`."""
        return {file.plays: file for file in self.files.values()}

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
            "title": self.title,
            "family": self.family,
            "origin": self.origin,
            "recipe": self.recipe,
            "checkpoint_sha256": self.checkpoint_sha256,
            "files": {file.name: _fields(file) for file in self.files.values()},
            "licence": self.licence,
            "licence_url": self.licence_url,
            "attribution": self.attribution,
            "built_with": dict(self.built_with),
        }
        text = json.dumps(document, indent=2, ensure_ascii=False)
        (directory / MANIFEST).write_text(text + "\n", "utf-8")


def read_manifest(directory: Path) -> Manifest | None:
    """Return the manifest in `directory`, None where there is none that can be read."""
    try:
        document = json.loads((directory / MANIFEST).read_text("utf-8"))
        files = {name: FileSpec(name, **spec) for name, spec in document.pop("files").items()}
        manifest = Manifest(files=files, **document)
        complete = {"encoder", "decoder"} <= manifest.files_by_role.keys()
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return manifest if complete else None


def describe(path: Path, role: str = "") -> FileSpec:
    """Return name, size and SHA-256 of a file."""
    return FileSpec(path.name, path.stat().st_size, sha256_of(path), role)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fields(file: FileSpec) -> dict[str, int | str]:
    return {"role": file.plays, "bytes": file.bytes, "sha256": file.sha256}


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _holds(path: Path, expected: FileSpec) -> bool:
    return _size(path) == expected.bytes and sha256_of(path) == expected.sha256
