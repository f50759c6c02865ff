"""The commands about models, as a user types them."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import yaml
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper

from samgis_process.cli import main
from samgis_process.inference import catalogue
from samgis_process.inference.catalogue import FileSpec, ModelEntry

FILES = {"a_encoder.ort": b"encoder " * 100, "a_decoder.onnx": b"decoder " * 50}


def small_entry():
    """A model of two small files, which a user has at hand."""
    files = tuple(
        FileSpec(name, len(body), hashlib.sha256(body).hexdigest(), name[2:9])
        for name, body in FILES.items()
    )
    return ModelEntry(
        id="small",
        title="A small model",
        family="sam2",
        good_for="Tests.",
        licence="CC0-1.0",
        licence_url="https://example.org/cc0",
        attribution="Somebody",
        downloads=files,
        origins=(),
        figures={"seconds": 3},
    )


@pytest.fixture
def known(monkeypatch):
    """The catalogue: one free model, and one whose licence restricts."""
    free = small_entry()
    narrow = replace(free, id="narrow", licence="Research only", restricts=True)
    models = {"small": free, "narrow": narrow}
    monkeypatch.setattr(catalogue, "entries", lambda: models)
    return models


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def brought(tmp_path):
    """A directory with the files of `small`."""
    directory = tmp_path / "brought"
    directory.mkdir()
    for name, body in FILES.items():
        (directory / name).write_bytes(body)
    return directory


@pytest.fixture
def run(tmp_path, models, brought):
    """Run `samgis-process models ...`."""
    config = tmp_path / "config.yml"
    section = {"models": {"directory": str(models), "default": "small"}}
    config.write_text(yaml.safe_dump({"samgis": section}))
    environ = {"SAMGIS_MODELS_DIR": None, "SAMGIS_MODEL_FILES": str(brought)}

    def invoke(*arguments):
        words = [str(word) for word in arguments]
        return CliRunner(env=environ).invoke(main, ["--config", str(config), "models", *words])

    return invoke


def listed(run):
    return {row["id"]: row for row in json.loads(run("list", "--json").stdout)}


@pytest.mark.usefixtures("known")
def test_the_list_tells_state_size_licence_and_use(run):
    assert run("install", "small").exit_code == 0
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["small", "installed", "0", "MB", "CC0-1.0"]
    assert lines[1].strip() == "Tests."
    assert lines[2].split()[:3] == ["narrow", "not", "installed"]


@pytest.mark.usefixtures("known")
def test_the_list_for_machines_holds_digests_and_figures(run):
    run("install", "small")
    row = listed(run)["small"]
    assert row["figures"] == {"seconds": 3}
    assert row["download_bytes"] == 1200
    assert row["files"]["a_encoder.ort"]["bytes"] == 800
    assert len(row["files"]["a_encoder.ort"]["sha256"]) == 64
    assert listed(run)["narrow"]["files"] == {}


def test_the_real_catalogue_is_listed(run):
    result = run("list")
    assert result.exit_code == 0
    assert all(model_id in result.stdout for model_id in catalogue.entries())


@pytest.mark.usefixtures("known")
def test_installing_shows_the_licence_and_without_an_id_takes_the_default(run, models):
    result = run("install")
    assert result.exit_code == 0
    assert "A small model: licence CC0-1.0, https://example.org/cc0" in result.stderr
    assert catalogue.installed(models).keys() == {"small"}
    assert run("install").output == ""  # nothing is done twice


@pytest.mark.usefixtures("known")
def test_a_licence_that_restricts_must_be_accepted(run, models):
    result = run("install", "narrow")
    assert result.exit_code == 2
    assert "https://example.org/cc0" in result.stderr
    assert "--accept-licence" in result.stderr
    assert not models.exists()
    assert run("install", "narrow", "--accept-licence").exit_code == 0
    assert "narrow" in catalogue.installed(models)


@pytest.mark.usefixtures("known")
def test_a_model_that_cannot_be_had_is_told_with_the_remedy(run, brought):
    (brought / "a_decoder.onnx").write_bytes(b"another")
    result = run("install", "small")
    assert result.exit_code == 1
    assert "a_decoder.onnx has 7 bytes, expected 400" in result.stderr
    assert "SAMGIS_MODEL_FILES" in result.stderr


def test_a_model_of_no_catalogue_is_refused(run):
    result = run("install", "sam9")
    assert result.exit_code == 1
    assert "No model 'sam9'" in result.stderr


@pytest.mark.usefixtures("known")
def test_a_damaged_file_is_found_and_installed_anew(run, models):
    run("install", "small")
    assert run("verify").stdout == "small\tintact\n"
    (directory,) = models.glob("small-*")
    (directory / "a_encoder.ort").write_bytes(b"damaged!" * 100)
    result = run("verify", "small")
    assert result.exit_code == 1
    assert "damaged: a_encoder.ort; remove it and install it again" in result.stdout
    assert run("remove", "small").exit_code == 0
    assert run("install", "small").exit_code == 0
    assert run("verify").exit_code == 0


@pytest.mark.usefixtures("known")
def test_a_truncated_file_shows_in_the_list(run, models):
    run("install", "small")
    (directory,) = models.glob("small-*")
    (directory / "a_encoder.ort").write_bytes(b"cut short")
    assert listed(run)["small"]["state"] == "damaged"
    assert run("verify").exit_code == 1


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("command", ["verify", "remove"])
def test_what_is_not_installed_can_be_neither_verified_nor_removed(run, command):
    result = run(command, "small")
    assert result.exit_code == 1
    assert "small is not installed" in result.stderr


@pytest.mark.usefixtures("known")
def test_removing_takes_earlier_builds_along_and_nothing_else(run, models):
    run("install", "small")
    run("install", "narrow", "--accept-licence")
    (models / "small-0123456789ab").mkdir()
    (models / "small-world-0123456789ab").mkdir()
    assert run("remove", "small").exit_code == 0
    (narrow,) = models.glob("narrow-*")
    left = {path.name for path in models.iterdir()}
    assert left == {".lock", "downloads", narrow.name, "small-world-0123456789ab"}


# A user's own files.

INPUTS = {
    "image_embeddings": [1, 256, 64, 64],
    "point_coords": [1, "points", 2],
    "point_labels": [1, "points"],
    "mask_input": [1, 1, 256, 256],
    "has_mask_input": [1],
    "orig_im_size": [2],
}


def graph(nodes, inputs, outputs, constants=()):
    """Return a model of float32 inputs and outputs, {name: shape}."""
    sides = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side]
        for side in (inputs.items(), outputs.items())
    ]
    made = helper.make_graph(nodes, "small", *sides, list(constants))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="session")
def foreign(tmp_path_factory):
    """A directory with a pair of graphs that SAM's exports are like, but for the weights."""
    directory = tmp_path_factory.mktemp("foreign")
    pads = numpy_helper.from_array(np.array([0, 0, 0, 0, 0, 253, 0, 0]), "pads")
    pool = helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[16, 16], strides=[16, 16])
    encoder = graph(
        [pool, helper.make_node("Pad", ["p", "pads"], ["embedding"])],
        {"x": [1, 3, 1024, 1024]},
        {"embedding": [1, 256, 64, 64]},
        [pads],
    )
    shape = numpy_helper.from_array(np.array([1, 1]), "shape")
    decoder = graph(
        [
            helper.make_node("Identity", ["mask_input"], ["low_res_masks"]),
            helper.make_node("Reshape", ["has_mask_input", "shape"], ["iou_predictions"]),
        ],
        INPUTS,
        {"low_res_masks": [1, 1, 256, 256], "iou_predictions": [1, 1]},
        [shape],
    )
    onnx.save(encoder, directory / "image.onnx")
    onnx.save(decoder, directory / "mask.onnx")
    return directory


@pytest.fixture
def add(run, foreign):
    def invoke(model_id="own", encoder=None, decoder=None, *more, family="sam-onnx"):
        files = ["--encoder", encoder or foreign / "image.onnx"]
        files += ["--decoder", decoder or foreign / "mask.onnx"]
        return run("add", model_id, *files, "--family", family, *more)

    return invoke


def test_own_files_become_a_model(run, add, models):
    result = add("own", None, None, "--title", "Our own", "--licence", "MIT")
    assert result.exit_code == 0, result.output
    row = listed(run)["own"]
    assert (row["origin"], row["family"], row["state"]) == ("local", "sam-onnx", "installed")
    assert (row["title"], row["licence"]) == ("Our own", "MIT")
    directory, manifest = catalogue.installed(models)["own"]
    assert (manifest.encoder, manifest.decoder) == ("encoder.onnx", "decoder.onnx")
    assert manifest.damaged(directory) == []
    assert run("verify", "own", "--run").stdout == "own\tintact\n"
    assert run("remove", "own").exit_code == 0
    assert "own" not in listed(run)


def test_a_damaged_own_file_is_to_be_added_again(run, add, models):
    add()
    (models / catalogue.installed(models)["own"].directory / "encoder.onnx").write_bytes(b"")
    result = run("verify", "own")
    assert result.exit_code == 1
    assert "damaged: encoder.onnx; remove it and add it again" in result.stdout


def test_an_id_is_given_once(add):
    assert add().exit_code == 0
    result = add()
    assert result.exit_code == 1
    assert "models remove own" in result.stderr


@pytest.mark.parametrize(
    ("model_id", "said"), [("mobile-sam", "choose another id"), ("../Own", "cannot be an id")]
)
def test_an_id_that_cannot_be_one_is_refused(add, models, model_id, said):
    result = add(model_id)
    assert result.exit_code == 1
    assert said in result.stderr
    assert not models.exists()


def test_an_unknown_family_is_refused_with_those_there_are(add):
    result = add(family="yolo")
    assert result.exit_code == 2
    assert "sam-onnx or sam2" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.onnx", b"", "no ONNX model, or is cut short"),
        ("a.onnx", b"<html>not found</html>", "no ONNX model, or is cut short"),
        ("a.ort", b"something else", "no ONNX model, or is cut short"),
        ("a.ort", b"\x00\x00\x00\x00ORTM and no more", "cannot be opened"),
        ("a.pt", b"PK", "neither .onnx nor .ort"),
    ],
)
def test_a_file_that_is_no_graph_is_refused(add, tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    result = add(encoder=tmp_path / name)
    assert result.exit_code == 1
    assert said in result.stderr


def test_a_graph_that_is_cut_short_is_refused(add, foreign, tmp_path):
    content = (foreign / "image.onnx").read_bytes()
    (tmp_path / "half.onnx").write_bytes(content[: len(content) // 2])
    assert "cut short" in add(encoder=tmp_path / "half.onnx").stderr


def test_a_file_that_is_not_there_is_told(add, tmp_path):
    assert "No such file" in add(encoder=tmp_path / "nowhere.onnx").stderr


def test_a_graph_in_two_files_is_refused_with_the_remedy(add, foreign, tmp_path):
    model = onnx.load(foreign / "image.onnx")
    onnx.save(model, tmp_path / "two.onnx", save_as_external_data=True, size_threshold=0)
    result = add(encoder=tmp_path / "two.onnx")
    assert result.exit_code == 1
    assert "write it as one" in result.stderr


@pytest.mark.parametrize(
    ("family", "said"), [("sam-onnx", "expected one picture"), ("sam2", "SAM 2")]
)
def test_a_pair_that_its_family_cannot_run_is_refused(add, models, foreign, family, said):
    result = add("own", foreign / "mask.onnx", foreign / "image.onnx", family=family)
    assert result.exit_code == 1
    assert said in result.stderr
    assert catalogue.installed(models) == {}
