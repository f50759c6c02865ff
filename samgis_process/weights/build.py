"""Install a model: fetch its checkpoint, author its graphs, put them in place at once.

A model's directory is either absent or whole: files are written beside it and the directory is
renamed into place. One process at a time works in a models directory; others wait for it.
"""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import onnx
from filelock import FileLock, Timeout

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import (
    DECODER,
    ENCODER,
    FileSpec,
    Manifest,
    ModelEntry,
    sha256_of,
)
from samgis_process.weights import decoder, encoder
from samgis_process.weights.checkpoint import read_state_dict
from samgis_process.weights.origins import Report, fetch

Builder = Callable[[Path, Path], None]  # makes both graphs from a checkpoint in a directory

_WORK = ".building-"
_DOWNLOAD_SHARE = 0.9  # of the time on a usual line; the graphs take some two seconds


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
        ModelUnavailable: the checkpoint cannot be had, read, or built from.
    """
    if not entry.installed(models_dir):
        builder = builder or _builder(entry)
        try:
            models_dir.mkdir(parents=True, exist_ok=True)
            with _alone_in(models_dir, report):
                _install(entry, models_dir, report, builder, environ)
        except OSError as error:
            reason = error.strerror or error
            message = f"{entry.title} cannot be installed in {models_dir}: {reason}"
            raise ModelUnavailable(message) from error
        report(f"{entry.title} is installed", 1.0)
    return entry.directory(models_dir)


def remove(entry: ModelEntry, models_dir: Path) -> None:
    """Remove an installed model and its kept checkpoint."""
    with _alone_in(models_dir, lambda _message, _share: None):
        _discard(entry.directory(models_dir))
        for kept in (models_dir / "downloads").glob(f"{entry.checkpoint.sha256[:12]}-*"):
            kept.unlink()


def build_mobile_sam(checkpoint: Path, directory: Path) -> None:
    """Author MobileSAM's encoder and decoder."""
    tensors = read_state_dict(checkpoint)
    try:
        graphs = {ENCODER: encoder.author(tensors), DECODER: decoder.author(tensors)}
    except (KeyError, ValueError, StopIteration) as error:
        raise ModelUnavailable(f"{checkpoint.name} is no MobileSAM checkpoint") from error
    for name, graph in graphs.items():
        onnx.save(graph, directory / name)


BUILDERS: Mapping[str, Builder] = {"mobile-sam/1": build_mobile_sam}


def _builder(entry: ModelEntry) -> Builder:
    if entry.builder not in BUILDERS:
        raise ModelUnavailable(f"This version has no builder {entry.builder} for {entry.id}")
    return BUILDERS[entry.builder]


def _install(
    entry: ModelEntry,
    models_dir: Path,
    report: Report,
    builder: Builder,
    environ: Mapping[str, str],
) -> None:
    if entry.installed(models_dir):  # by the process we waited for
        return
    _remove_leftovers(models_dir)
    checkpoint = fetch(entry, models_dir / "downloads", _first_part(report), environ)
    report(f"building {entry.title}", _DOWNLOAD_SHARE)
    _build(entry, models_dir, builder, checkpoint)


def _build(entry: ModelEntry, models_dir: Path, builder: Builder, checkpoint: Path) -> None:
    """Build in a directory of its own, then rename it into place."""
    work = Path(tempfile.mkdtemp(dir=models_dir, prefix=_WORK))
    try:
        builder(checkpoint, work)
        _manifest(entry, work).write(work)
        work.chmod(0o755)  # mkdtemp makes it for one user; a server may run as another
        _flush(work)
        _discard(entry.directory(models_dir))  # damaged, or we would not be here
        work.rename(entry.directory(models_dir))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _manifest(entry: ModelEntry, directory: Path) -> Manifest:
    return Manifest(
        id=entry.id,
        family=entry.family,
        recipe=entry.recipe,
        checkpoint_sha256=entry.checkpoint.sha256,
        files={name: describe(directory / name) for name in (ENCODER, DECODER)},
        licence=entry.licence,
        attribution=entry.attribution,
        built_with={"onnx": version("onnx")},
    )


def describe(path: Path) -> FileSpec:
    """Return name, size and SHA-256 of a file."""
    return FileSpec(path.name, path.stat().st_size, sha256_of(path))


@contextmanager
def _alone_in(models_dir: Path, report: Report) -> Iterator[None]:
    """Keep other processes out; the lock of one that was killed is free at once."""
    lock = FileLock(models_dir / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report("waiting for another process that is installing", None)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _remove_leftovers(models_dir: Path) -> None:
    """Remove the work of processes that were killed; we are alone, so nobody is at it."""
    for work in models_dir.glob(f"{_WORK}*"):
        shutil.rmtree(work, ignore_errors=True)


def _discard(directory: Path) -> None:
    """Remove a directory so that no half of it is ever seen under its name."""
    if directory.exists():
        shutil.rmtree(directory.rename(directory.with_name(f"{_WORK}{directory.name}")))


def _flush(directory: Path) -> None:
    """Have the files on disk before their directory gets its name; power may fail."""
    for path in directory.iterdir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())


def _first_part(report: Report) -> Report:
    """Return `report` for the download, which comes first."""

    @functools.wraps(report)
    def scaled(message: str, share: float | None) -> None:
        report(message, None if share is None else _DOWNLOAD_SHARE * share)

    return scaled
