"""Take a user's own pair of graphs into the models directory."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx.external_data_helper import uses_external_data

from samgis_process.errors import ModelUnavailable
from samgis_process.inference import catalogue
from samgis_process.inference.catalogue import (
    LOCAL,
    FileSpec,
    Manifest,
    describe,
    sha256_of,
)
from samgis_process.weights.downloads import need_room
from samgis_process.weights.place import alone_in, remove_leftovers, replacing

FAMILIES = ("sam-onnx", "sam2")

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Own(NamedTuple):
    """What a user says of a model: `family` is one of FAMILIES."""

    id: str
    family: str
    title: str
    licence: str


def add(
    about: Own,
    files: Mapping[str, Path],
    models_dir: Path,
    try_out: Callable[[Path], None],
) -> Path:
    """Return the directory of a model after copying its files and writing its manifest.

    Args:
        files: by role, `encoder` and `decoder`; .onnx or .ort, each in one piece.
        try_out: opens and runs what is in a directory, or raises; before it gets its place.

    Raises:
        ModelUnavailable: the id is taken or cannot be one, or a file does not do.
    """
    _check_id(about.id, models_dir)
    for path in files.values():
        _check_graph(path)
    try:
        with alone_in(models_dir):
            remove_leftovers(models_dir)
            need_room(models_dir, sum(path.stat().st_size for path in files.values()))
            return _copied(about, files, models_dir, try_out)
    except OSError as error:
        reason = error.strerror or error
        raise ModelUnavailable(f"{about.id} cannot be added to {models_dir}: {reason}") from error


def _copied(
    about: Own, files: Mapping[str, Path], models_dir: Path, try_out: Callable[[Path], None]
) -> Path:
    digests = [sha256_of(path) for path in files.values()]
    recipe = hashlib.sha256("\n".join([about.family, *digests]).encode()).hexdigest()
    directory = models_dir / f"{about.id}-{recipe[:12]}"
    with replacing(directory) as work:
        copies = [_copy(path, role, work) for role, path in files.items()]
        _manifest(about, recipe, copies).write(work)
        try_out(work)
    return directory


def _copy(path: Path, role: str, work: Path) -> FileSpec:
    """Copy a file under its role's name, for two may have one name; the ending tells its form."""
    copy = work / f"{role}{path.suffix.lower()}"
    shutil.copyfile(path, copy)
    return describe(copy, role)


def _manifest(about: Own, recipe: str, files: list[FileSpec]) -> Manifest:
    return Manifest(
        id=about.id,
        title=about.title,
        family=about.family,
        recipe=recipe,
        checkpoint_sha256="",
        files={file.name: file for file in files},
        licence=about.licence,
        attribution="",
        origin=LOCAL,
    )


def _check_id(model_id: str, models_dir: Path) -> None:
    if not _ID.fullmatch(model_id):
        raise ModelUnavailable(
            f"{model_id!r} cannot be an id: lower-case letters, digits, dot, - and _ only"
        )
    if model_id in catalogue.entries():
        raise ModelUnavailable(f"{model_id} is a model of the catalogue; choose another id")
    if any(model.manifest.id == model_id for model in catalogue.found(models_dir)):
        raise ModelUnavailable(
            f"{model_id} is there already; `samgis-process models remove {model_id}` first"
        )


def _check_graph(path: Path) -> None:
    """Refuse what is no graph, or not all of one."""
    try:
        if path.suffix.lower() == ".ort":
            with path.open("rb") as file:
                whole = file.read(8)[4:] == b"ORTM"  # the format's mark
        elif path.suffix.lower() == ".onnx":
            whole = _is_whole_onnx(path)
        else:
            raise ModelUnavailable(f"{path.name} is neither .onnx nor .ort")
    except OSError as error:
        raise ModelUnavailable(f"{path.name} cannot be read: {error.strerror}") from error
    if not whole:
        raise ModelUnavailable(f"{path.name} is no ONNX model, or is cut short")


def _is_whole_onnx(path: Path) -> bool:
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError:
        return False
    if any(uses_external_data(tensor) for tensor in model.graph.initializer):
        raise ModelUnavailable(
            f"{path.name} keeps its weights in a second file; write it as one: "
            f"onnx.save(onnx.load('{path.name}'), 'whole.onnx')"
        )
    return len(model.graph.node) > 0
