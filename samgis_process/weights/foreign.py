"""Take a user's own pair of graphs into the models directory."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

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
)
from samgis_process.weights.downloads import need_room
from samgis_process.weights.place import alone_in, remove_leftovers, replacing

FAMILIES = ("sam-onnx", "sam2")
UNKNOWN_LICENCE = "not stated"

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def add(
    models_dir: Path,
    model_id: str,
    files: Mapping[str, Path],
    family: str,
    *,
    title: str = "",
    licence: str = UNKNOWN_LICENCE,
) -> Path:
    """Return the directory of a model after copying its files and writing its manifest.

    Args:
        files: by role, `encoder` and `decoder`; .onnx or .ort, each in one piece.
        family: the adapter that reads them, one of `FAMILIES`.

    Raises:
        ModelUnavailable: the id is taken or cannot be one, or a file does not do.
    """
    _check_id(model_id, models_dir)
    for path in files.values():
        _check_graph(path)
    try:
        with alone_in(models_dir):
            remove_leftovers(models_dir)
            need_room(models_dir, sum(path.stat().st_size for path in files.values()))
            return _copied(models_dir, model_id, files, family, title or model_id, licence)
    except OSError as error:
        reason = error.strerror or error
        raise ModelUnavailable(f"{model_id} cannot be added to {models_dir}: {reason}") from error


def _copied(
    models_dir: Path,
    model_id: str,
    files: Mapping[str, Path],
    family: str,
    title: str,
    licence: str,
) -> Path:
    specs = [describe(path, role) for role, path in files.items()]
    recipe = hashlib.sha256("\n".join([family, *(spec.sha256 for spec in specs)]).encode())
    directory = models_dir / f"{model_id}-{recipe.hexdigest()[:12]}"
    with replacing(directory) as work:
        copies: dict[str, FileSpec] = {}
        for role, path in files.items():  # two files may have one name
            copy = work / f"{role}{path.suffix.lower()}"
            shutil.copyfile(path, copy)
            copies[copy.name] = describe(copy, role)
        Manifest(
            id=model_id,
            title=title,
            family=family,
            recipe=recipe.hexdigest(),
            checkpoint_sha256="",
            files=copies,
            licence=licence,
            attribution="",
            origin=LOCAL,
        ).write(work)
    return directory


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
