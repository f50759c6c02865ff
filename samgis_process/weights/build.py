"""Install a model: fetch its files, author its graphs if need be, put them in place at once."""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Callable, Mapping
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import onnx

from samgis_process.errors import ModelUnavailable
from samgis_process.inference import catalogue
from samgis_process.inference.catalogue import (
    DECODER,
    ENCODER,
    FileSpec,
    Manifest,
    ModelEntry,
    describe,
    read_manifest,
    sha256_of,
)
from samgis_process.weights import decoder, encoder
from samgis_process.weights.checkpoint import read_state_dict
from samgis_process.weights.deltas import apply_delta
from samgis_process.weights.downloads import Report, verified
from samgis_process.weights.origins import fetch, kept
from samgis_process.weights.place import alone_in, discard, remove_leftovers, replacing

Builder = Callable[[Path, Path], None]  # authors the graphs of a checkpoint in a directory

_DOWNLOAD_SHARE = 0.9  # of the time on a usual line; the graphs take some two seconds
_DOWNLOADS = "downloads"


def ensure(
    entry: ModelEntry,
    models_dir: Path,
    report: Report,
    *,
    builder: Builder | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Return the directory of the installed model, installing it if need be.

    A model that is there costs a look at its manifest and at its files' sizes.

    Args:
        report: is told what happens and how much of it is done, 0 to 1, None where unknown.
        builder: instead of the one that the catalogue names.

    Raises:
        ModelUnavailable: the files cannot be had, read, or built from.
    """
    if not entry.installed(models_dir):
        builder = builder or _builder(entry)
        waiting = functools.partial(report, "waiting for another process that is installing", None)
        try:
            with alone_in(models_dir, waiting):
                _install(entry, models_dir, report, builder, environ)
        except OSError as error:
            reason = error.strerror or error
            message = f"{entry.title} cannot be installed in {models_dir}: {reason}"
            raise ModelUnavailable(message) from error
        report(f"{entry.title} is installed", 1.0)
    return entry.directory(models_dir)


def remove(model_id: str, models_dir: Path) -> list[Path]:
    """Remove a model, its earlier builds and kept downloads; return the directories removed."""
    with alone_in(models_dir):
        directories = [path for path in models_dir.iterdir() if _is_of(path, model_id)]
        for directory in directories:
            discard(directory)
        known = catalogue.entries().get(model_id)
        for file in known.downloads if known else ():
            kept(file, models_dir / _DOWNLOADS).unlink(missing_ok=True)
    return directories


def _is_of(directory: Path, model_id: str) -> bool:
    """Tell whether a directory holds some build of a model, readable or not."""
    if re.fullmatch(re.escape(model_id) + "-[0-9a-f]{12}", directory.name):
        return True
    manifest = read_manifest(directory)
    return manifest is not None and manifest.id == model_id


def build_mobile_sam(checkpoint: Path, directory: Path, delta: Path | None = None) -> None:
    """Author MobileSAM's encoder and decoder, its tensors changed by a delta if there is one."""
    tensors = read_state_dict(checkpoint)
    if delta:
        tensors = apply_delta(tensors, delta, sha256_of(checkpoint))
    try:
        graphs = {ENCODER: encoder.author(tensors), DECODER: decoder.author(tensors)}
    except (KeyError, ValueError, StopIteration) as error:
        raise ModelUnavailable(f"{checkpoint.name} is no MobileSAM checkpoint") from error
    for name, graph in graphs.items():
        onnx.save(graph, directory / name)


BUILDERS: Mapping[str, Callable[[Path, Path, Path | None], None]] = {
    "mobile-sam/2": build_mobile_sam
}


def _builder(entry: ModelEntry) -> Builder | None:
    """Return what authors the entry's graphs, None for files taken as they are."""
    if not entry.builder:
        return None
    if entry.builder not in BUILDERS:
        raise ModelUnavailable(f"This version has no builder {entry.builder} for {entry.id}")
    delta = _delta(entry.delta) if entry.delta else None
    return lambda checkpoint, directory: BUILDERS[entry.builder](checkpoint, directory, delta)


def _delta(file: FileSpec) -> Path:
    """Return the path of a delta that this package brings, verified."""
    path = Path(str(resources.files("samgis_process"))) / "weights" / "tuned" / file.name
    if not path.exists():
        raise ModelUnavailable(f"This version does not bring {file.name}")
    return verified(path, file)


def _install(
    entry: ModelEntry,
    models_dir: Path,
    report: Report,
    builder: Builder | None,
    environ: Mapping[str, str],
) -> None:
    if entry.installed(models_dir):  # by the process we waited for
        return
    remove_leftovers(models_dir)
    downloads = models_dir / _DOWNLOADS
    paths = fetch(entry, downloads, _first_part(report), environ)
    report(f"{'building' if builder else 'putting in place'} {entry.title}", _DOWNLOAD_SHARE)
    with replacing(entry.directory(models_dir)) as work:
        if builder:
            builder(paths[0], work)
            files = [describe(path) for path in sorted(work.glob("*.onnx"))]
        else:
            files = [
                _taken(path, file, work, downloads)
                for path, file in zip(paths, entry.downloads, strict=True)
            ]
        _manifest(entry, files).write(work)


def _taken(path: Path, file: FileSpec, work: Path, downloads: Path) -> FileSpec:
    """Put a file into `work`: moved, if it was downloaded, else copied."""
    if path.parent == downloads:
        path.rename(work / file.name)
    else:
        shutil.copyfile(path, work / file.name)
        verified(work / file.name, file)
    return file


def _manifest(entry: ModelEntry, files: list[FileSpec]) -> Manifest:
    return Manifest(
        id=entry.id,
        title=entry.title,
        family=entry.family,
        recipe=entry.recipe,
        checkpoint_sha256=entry.checkpoint.sha256 if entry.checkpoint else "",
        files={file.name: file for file in files},
        licence=entry.licence,
        licence_url=entry.licence_url,
        attribution=entry.attribution,
        built_with={"onnx": version("onnx")} if entry.builder else {},
    )


def _first_part(report: Report) -> Report:
    """Return `report` for the download, which comes first."""

    @functools.wraps(report)
    def scaled(message: str, share: float | None) -> None:
        report(message, None if share is None else _DOWNLOAD_SHARE * share)

    return scaled
