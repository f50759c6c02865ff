"""What the catalogue says of each model, and which of them lie in a models directory."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from samgis_process.errors import ModelUnavailable
from samgis_process.inference import catalogue
from samgis_process.inference.catalogue import (
    FileSpec,
    Manifest,
    NpmOrigin,
    SdistOrigin,
    UrlOrigin,
    entries,
    read_manifest,
)
from samgis_process.settings import ModelSettings
from samgis_process.weights.deltas import apply_delta


def described(origin):
    """Return the names of the files that an origin knows."""
    if isinstance(origin, UrlOrigin):
        return origin.urls.keys()
    assert isinstance(origin, NpmOrigin | SdistOrigin)
    return origin.members.keys()


@pytest.mark.parametrize("model_id", entries())
def test_an_entry_says_all_that_an_installation_needs(model_id):
    entry = catalogue.entry(model_id)
    assert entry.title
    assert entry.good_for.endswith(".")
    assert entry.licence
    assert entry.licence_url.startswith("https://")
    assert entry.attribution
    assert re.fullmatch(r"[a-z0-9.-]+", entry.id)
    for file in entry.downloads:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
    for origin in entry.origins:
        assert described(origin) == {file.name for file in entry.downloads}
    if entry.checkpoint is None:
        assert sorted(file.role for file in entry.downloads) == ["decoder", "encoder"]


def test_the_default_is_of_the_catalogue_and_free_to_use():
    assert not catalogue.entry(ModelSettings().default).restricts


def test_an_unknown_model_is_refused_with_what_there_is():
    with pytest.raises(ModelUnavailable, match=r"No model 'sam9'.*mobile-sam, .*sam2-hiera-tiny"):
        catalogue.entry("sam9")


def test_the_bytes_to_download_are_those_of_the_archive_where_there_is_one():
    assert catalogue.entry("sam2-hiera-tiny").download_bytes == 184235662
    assert catalogue.entry("efficientvit-sam-l0").download_bytes == 123112917 + 16470362


def test_the_recipe_covers_checkpoint_delta_and_builder():
    entry = entries()["mobile-sam"]
    tuned = replace(entry, delta=FileSpec("x.npz", 1, "1" * 64))
    other = FileSpec("mobile_sam.pt", 1, "2" * 64)
    changed = [
        tuned,
        replace(tuned, delta=FileSpec("x.npz", 1, "3" * 64)),
        replace(entry, builder="mobile-sam/99"),
        replace(entry, downloads=(other,)),
        replace(entry, family="other"),
    ]
    assert len({each.recipe for each in [entry, *changed]}) == 6


def test_an_entry_may_be_a_delta_on_another_s_checkpoint():
    fields = {
        "title": "Tuned",
        "family": "sam",
        "good_for": "Tests.",
        "licence": {"name": "Apache-2.0", "url": "https://example.org", "restricts": True},
        "attribution": "Somebody",
        "builder": "mobile-sam/1",
        "checkpoint": {"name": "a.pt", "bytes": 9, "sha256": "1" * 64},
        "delta": {"name": "tuned.npz", "bytes": 5, "sha256": "2" * 64},
        "origins": [],
    }
    entry = catalogue._entry("tuned", fields)
    assert entry.delta == FileSpec("tuned.npz", 5, "2" * 64)
    assert entry.checkpoint == FileSpec("a.pt", 9, "1" * 64)
    assert entry.restricts


# What lies in a models directory.


def put(models, model_id, recipe, *, origin="catalogue", files=("encoder.onnx", "decoder.onnx")):
    """Write an installed model of empty files."""
    directory = models / f"{model_id}-{recipe[:12]}"
    directory.mkdir(parents=True)
    for name in files:
        (directory / name).touch()
    manifest = Manifest(
        id=model_id,
        family="sam",
        recipe=recipe,
        checkpoint_sha256="",
        files={name: FileSpec(name, 0, "0" * 64) for name in files},
        licence="CC0-1.0",
        attribution="",
        origin=origin,
    )
    manifest.write(directory)
    return directory


def test_models_are_found_by_their_manifests(tmp_path):
    present = entries()["mobile-sam"].recipe
    ours = put(tmp_path, "mobile-sam", present)
    put(tmp_path, "sam2-hiera-tiny", "0" * 64)  # of another recipe
    own = put(tmp_path, "a-user's", "2" * 64, origin="local")
    put(tmp_path, ".building-x", present)
    (tmp_path / "notes.txt").touch()
    models = catalogue.installed(tmp_path)
    assert {name: found.directory for name, found in models.items()} == {
        "a-user's": own,
        "mobile-sam": ours,
    }
    directory, manifest = models["mobile-sam"]
    assert (directory, manifest.id) == (ours, "mobile-sam")


def test_a_truncated_model_is_found_but_not_installed(tmp_path):
    directory = put(tmp_path, "own", "2" * 64, origin="local")
    (directory / "encoder.onnx").write_bytes(b"longer")
    assert [found.directory for found in catalogue.found(tmp_path)] == [directory]
    assert catalogue.installed(tmp_path) == {}


def test_no_models_directory_holds_no_models(tmp_path):
    assert catalogue.installed(tmp_path / "nowhere") == {}


def test_a_manifest_may_hold_more_files_than_two(tmp_path):
    names = ("encoder.onnx", "encoder-int8.onnx", "decoder.onnx")
    manifest = read_manifest(put(tmp_path, "own", "2" * 64, files=names))
    assert manifest.files_by_role.keys() == {"encoder", "encoder-int8", "decoder"}
    assert manifest.encoder == "encoder.onnx"


def test_a_manifest_without_an_encoder_is_none(tmp_path):
    assert read_manifest(put(tmp_path, "own", "2" * 64, files=("decoder.onnx",))) is None


def test_a_role_is_told_or_taken_from_the_name(tmp_path):
    directory = put(tmp_path, "own", "2" * 64, files=("a.ort", "decoder.onnx"))
    document = json.loads((directory / "manifest.json").read_text())
    document["files"]["a.ort"]["role"] = "encoder"
    (directory / "manifest.json").write_text(json.dumps(document))
    assert read_manifest(directory).encoder == "a.ort"


# A fine-tune's delta.


@pytest.fixture
def tensors():
    return {"a": np.ones((2, 3), np.float32), "b": np.zeros(4, np.float32)}


def write_delta(path, base="f00d", **arrays):
    np.savez(path, base=np.array(base), **arrays)
    return path


def test_a_delta_is_added_in_the_checkpoint_s_dtype(tensors, tmp_path):
    path = write_delta(tmp_path / "d.npz", a=np.full((2, 3), 0.5, np.float16))
    tuned = apply_delta(tensors, path, "f00d")
    assert tuned["a"].dtype == np.float32
    assert tuned["a"].tolist() == [[1.5] * 3] * 2
    assert tuned["b"] is tensors["b"]
    assert tensors["a"].tolist() == [[1] * 3] * 2  # what was given stays as it was


def test_a_delta_in_steps_has_a_scale_for_each_row(tensors, tmp_path):
    steps = np.array([[1, 2, 3], [-1, 0, 127]], np.int8)
    scale = {"a.scale": np.array([0.5, 0.25], np.float16)}
    path = write_delta(tmp_path / "d.npz", a=steps, **scale)
    tuned = apply_delta(tensors, path, "f00d")
    assert tuned["a"].tolist() == [[1.5, 2, 2.5], [0.75, 1, 32.75]]


@pytest.mark.parametrize(
    "arrays",
    [
        {"c": np.zeros(1)},
        {"a": np.zeros((3, 2))},
        {"a": np.array([None])},
        {"base": "another", "a": np.zeros((2, 3))},
    ],
)
def test_a_delta_for_another_checkpoint_is_refused(tensors, tmp_path, arrays):
    path = write_delta(tmp_path / "d.npz", **arrays)
    with pytest.raises(ModelUnavailable, match=r"d\.npz is"):
        apply_delta(tensors, path, "f00d")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"text"])
def test_a_broken_delta_is_refused(tensors, tmp_path, content):
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"d\.npz is no file of numpy arrays"):
        apply_delta(tensors, tmp_path / "d.npz", "f00d")
