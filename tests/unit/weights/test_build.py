"""A model is installed once and whole, whoever else installs and whenever it is interrupted."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import (
    FileSpec,
    ModelEntry,
    entries,
    read_manifest,
    sha256_of,
)
from samgis_process.weights.build import BUILDERS, build_mobile_sam, ensure, remove
from samgis_process.weights.checkpoint import read_state_dict

CONTENT = b"a small checkpoint"


@pytest.fixture
def entry(tmp_path: Path) -> ModelEntry:
    return small_entry(tmp_path)


def small_entry(directory: Path) -> ModelEntry:
    """An entry whose checkpoint is a file beside the models."""
    file = directory / "small.pt"
    if not file.exists():  # else another process may be reading it
        file.write_bytes(CONTENT)
    spec = FileSpec(file.name, len(CONTENT), sha256_of(file))
    return replace(entries()["mobile-sam"], id="small", downloads=(spec,), origins=())


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"SAMGIS_CHECKPOINT": str(tmp_path / "small.pt")}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def silent(_message: str, _share: float | None) -> None:
    pass


class Copies:
    """A builder that writes the checkpoint twice and counts how often it was called."""

    calls = 0

    def __call__(self, checkpoint: Path, directory: Path) -> None:
        self.calls += 1
        for name in ("encoder.onnx", "decoder.onnx"):
            (directory / name).write_bytes(name.encode() + checkpoint.read_bytes())


def test_a_model_is_built_once(entry: ModelEntry, models: Path, environ: dict[str, str]) -> None:
    builder = Copies()
    said: list[tuple[str, float | None]] = []
    for _ in range(2):
        directory = ensure(
            entry, models, lambda *what: said.append(what), builder=builder, environ=environ
        )
    assert builder.calls == 1
    assert directory == entry.directory(models)
    assert said == [("building MobileSAM", 0.9), ("MobileSAM is installed", 1.0)]


def test_the_manifest_tells_what_was_installed(
    entry: ModelEntry, models: Path, environ: dict[str, str]
) -> None:
    directory = ensure(entry, models, silent, builder=Copies(), environ=environ)
    manifest = read_manifest(directory)
    assert manifest is not None
    assert manifest.recipe == entry.recipe
    assert manifest.checkpoint_sha256 == entry.checkpoint.sha256
    assert manifest.files["encoder.onnx"].sha256 == sha256_of(directory / "encoder.onnx")
    assert manifest.damaged(directory) == []
    (directory / "encoder.onnx").write_bytes(bytes(len(CONTENT) + len("encoder.onnx")))
    assert manifest.damaged(directory) == ["encoder.onnx"]


@pytest.mark.parametrize("harm", ["truncated", "missing", "no manifest", "odd manifest"])
def test_a_damaged_model_is_built_again(
    entry: ModelEntry, models: Path, environ: dict[str, str], harm: str
) -> None:
    directory = ensure(entry, models, silent, builder=Copies(), environ=environ)
    if harm == "truncated":
        (directory / "encoder.onnx").write_bytes(b"")
    elif harm == "missing":
        (directory / "decoder.onnx").unlink()
    elif harm == "no manifest":
        (directory / "manifest.json").unlink()
    else:
        (directory / "manifest.json").write_text('["encoder.onnx"]')
    assert entry.installed(models) is None
    ensure(entry, models, silent, builder=Copies(), environ=environ)
    assert entry.installed(models)
    assert sorted(path.name for path in models.iterdir()) == [".lock", "downloads", directory.name]


def test_another_builder_version_is_another_model(entry: ModelEntry, models: Path) -> None:
    newer = replace(entry, builder="mobile-sam/9")
    assert newer.directory(models) != entry.directory(models)


def test_a_builder_that_fails_leaves_nothing(
    entry: ModelEntry, models: Path, environ: dict[str, str]
) -> None:
    def fail(checkpoint: Path, directory: Path) -> None:
        Copies()(checkpoint, directory)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure(entry, models, silent, builder=fail, environ=environ)
    assert sorted(path.name for path in models.iterdir()) == [".lock", "downloads"]


def test_a_checkpoint_of_another_model_is_refused(
    entry: ModelEntry, models: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(ModelUnavailable, match="checkpoint"):
        ensure(entry, models, silent, environ=environ)
    with pytest.raises(ModelUnavailable, match="no builder other/1"):
        ensure(replace(entry, builder="other/1"), models, silent, environ=environ)


def test_a_place_that_cannot_be_written_is_named(
    entry: ModelEntry, models: Path, environ: dict[str, str]
) -> None:
    models.write_text("a file, not a directory")
    with pytest.raises(ModelUnavailable, match="cannot be installed in"):
        ensure(entry, models, silent, builder=Copies(), environ=environ)


def test_removing_leaves_the_lock_alone(
    entry: ModelEntry, models: Path, environ: dict[str, str]
) -> None:
    directory = ensure(entry, models, silent, builder=Copies(), environ=environ)
    assert remove("small", models) == [directory]
    assert sorted(path.name for path in models.iterdir()) == [".lock", "downloads"]


def test_every_entry_of_the_catalogue_can_be_built() -> None:
    for known in entries().values():
        assert known.builder in {"", *BUILDERS}


def test_a_delta_changes_its_tensors_and_nothing_else(
    model_dir: Path, tmp_path: Path, unavailable
) -> None:
    checkpoint = next(model_dir.parent.glob("downloads/*-mobile_sam.pt"), None)
    if checkpoint is None:
        unavailable("the checkpoint of the installed model was not kept")
    name = "mask_decoder.iou_token.weight"
    added = read_state_dict(checkpoint)[name] * 0.5
    base = np.array(sha256_of(checkpoint))
    np.savez(tmp_path / "tuned.npz", base=base, **{name: added.astype(np.float16)})
    build_mobile_sam(checkpoint, tmp_path, tmp_path / "tuned.npz")
    files = read_manifest(model_dir).files
    assert sha256_of(tmp_path / "encoder.onnx") == files["encoder.onnx"].sha256
    assert sha256_of(tmp_path / "decoder.onnx") != files["decoder.onnx"].sha256


def test_a_delta_that_this_version_does_not_bring_is_told(
    entry: ModelEntry, models: Path, environ: dict[str, str]
) -> None:
    tuned = replace(entry, delta=FileSpec("nowhere.npz", 1, "0" * 64))
    with pytest.raises(ModelUnavailable, match=r"does not bring nowhere\.npz"):
        ensure(tuned, models, silent, environ=environ)


# Two processes, and one that is killed: real ones, with a builder that takes its time.

SCRIPT = """
import importlib.util, sys, time
from pathlib import Path
here, root = Path(sys.argv[1]), Path(sys.argv[2])
spec = importlib.util.spec_from_file_location("test_build", here)
tests = importlib.util.module_from_spec(spec)
sys.modules["test_build"] = tests
spec.loader.exec_module(tests)

def slow(checkpoint, directory):
    with (root / "builds").open("a") as log:
        log.write("started\\n")
    (directory / "encoder.onnx").write_bytes(b"half")
    time.sleep(float(sys.argv[3]))
    tests.Copies()(checkpoint, directory)

environ = {"SAMGIS_CHECKPOINT": str(root / "small.pt")}
entry = tests.small_entry(root)
print(tests.ensure(entry, root / "models", tests.silent, builder=slow, environ=environ))
"""


def start(root: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, __file__, str(root), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def test_two_processes_at_once_build_once(tmp_path: Path, entry: ModelEntry) -> None:
    processes = [start(tmp_path, 1) for _ in range(2)]
    answers = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert answers == [str(entry.directory(tmp_path / "models"))] * 2
    assert (tmp_path / "builds").read_text() == "started\n"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_build_leaves_nothing_that_counts(
    tmp_path: Path,
    entry: ModelEntry,
    models: Path,
    environ: dict[str, str],
    kind: signal.Signals,
) -> None:
    process = start(tmp_path, 60)
    while not (tmp_path / "builds").exists():
        time.sleep(0.01)
    process.send_signal(kind)
    process.communicate(timeout=60)
    assert entry.installed(models) is None
    directory = ensure(entry, models, silent, builder=Copies(), environ=environ)
    assert entry.installed(models)
    assert sorted(path.name for path in models.iterdir()) == [".lock", "downloads", directory.name]
