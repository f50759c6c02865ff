import shutil
import threading

import numpy as np
import onnx
import pytest

from samgis_process.errors import ModelUnavailable
from samgis_process.grid import Pixel
from samgis_process.inference.families import SamModel
from samgis_process.inference.frame import InputFrame, preprocess
from samgis_process.inference.masks import Rule, choose
from samgis_process.inference.model import Decoded
from samgis_process.inference.room import load
from samgis_process.inference.sessions import Runtime


def test_a_model_is_loaded_once_and_its_sessions_opened_once(tiny_model_dir):
    models = set()
    sessions = []

    def work():
        model = load(tiny_model_dir, Runtime())
        models.add(model)
        model.warm_up()
        sessions.append(tuple(map(id, model._sessions.values())))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(models) == 1
    assert len(set(sessions)) == 1


def test_making_a_model_opens_no_session(tiny_model_dir):
    assert SamModel(tiny_model_dir, Runtime())._sessions == {}


def test_a_missing_model_is_said_with_the_remedy(tmp_path):
    with pytest.raises(ModelUnavailable, match="samgis-process models install"):
        load(tmp_path / "gone", Runtime())


@pytest.fixture
def copy(tiny_model_dir, tmp_path):
    return shutil.copytree(tiny_model_dir, tmp_path / "copy")


def test_a_damaged_graph_is_refused(copy):
    data = bytearray((copy / "decoder.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "decoder.onnx").write_bytes(data)
    with pytest.raises(ModelUnavailable, match=r"decoder\.onnx of tiny is damaged"):
        load(copy, Runtime()).warm_up()


def test_a_graph_of_another_shape_is_refused_with_what_was_found(copy):
    from samgis_process.inference.catalogue import read_manifest
    from samgis_process.weights.build import describe

    path = copy / "encoder.onnx"
    graph = onnx.load(path)
    for node in graph.graph.node:
        node.input[:] = ["pixels" if name == "image" else name for name in node.input]
    graph.graph.input[0].name = "pixels"
    onnx.save(graph, path)
    manifest = read_manifest(copy)
    manifest.files["encoder.onnx"] = describe(path)
    manifest.write(copy)
    with pytest.raises(ModelUnavailable, match=r"expected image float32.*only pixels"):
        load(copy, Runtime()).warm_up()


@pytest.mark.parametrize(
    ("size", "resized"),
    [((996, 666), (1024, 685)), ((300, 200), (1024, 683)), ((50, 700), (73, 1024))],
)
def test_sides_are_rounded_as_the_model_expects(size, resized):
    assert InputFrame(*size).resized == resized


def test_coordinates_take_half_a_pixel_off():
    frame = InputFrame(512, 256)
    np.testing.assert_allclose(
        frame.coords([Pixel(0, 0), Pixel(512, 256)]), [[-0.5] * 2, [1023.5, 511.5]]
    )


def test_the_picture_is_normalised_and_padded_with_zeros():
    image = np.full((100, 200, 3), (124, 116, 104), np.uint8)
    frame = preprocess(image, InputFrame(200, 100))
    assert frame.shape == (1, 3, 1024, 1024)
    assert np.abs(frame[0, :, :512]).max() < 0.01
    assert (frame[0, :, 512:] == 0).all()


def masks_of(*shares):
    logits = np.full((len(shares), 256, 256), -5, np.float32)
    for mask, share in zip(logits, shares, strict=True):
        mask[: int(256 * share)] = 5
    return logits


def test_a_clear_prompt_takes_the_single_reading():
    iou = np.array([0.5, 0.9, 0.9, 0.9], np.float32)
    mask = choose(
        Decoded(masks_of(0.1, 0.2, 0.3, 0.4), iou),
        (256, 256),
        "box",
        Rule(),
    )
    assert (mask.logits > 0).mean() == pytest.approx(0.1, abs=0.01)


def test_a_click_takes_the_best_rated_of_the_others():
    iou = np.array([0.99, 0.8, 0.9, 0.7], np.float32)
    mask = choose(
        Decoded(masks_of(0.1, 0.2, 0.3, 0.4), iou),
        (256, 256),
        "click",
        Rule(),
    )
    assert mask.predicted_iou == pytest.approx(0.9)


def test_a_mask_of_the_whole_window_is_taken_only_if_all_are():
    iou = np.array([0.5, 1.0, 0.6, 0.5], np.float32)
    mask = choose(
        Decoded(masks_of(0.1, 1.0, 0.3, 0.2), iou),
        (256, 256),
        "click",
        Rule(),
    )
    assert mask.predicted_iou == pytest.approx(0.6)
    mask = choose(
        Decoded(masks_of(0.1, 1.0, 0.9, 0.8), iou),
        (256, 256),
        "click",
        Rule(),
    )
    assert mask.predicted_iou == pytest.approx(1.0)


def test_padding_does_not_count():
    """The lower half of the grid is padding: a mask that fills the upper half fills the window."""
    iou = np.array([0.5, 1.0, 0.6, 0.5], np.float32)
    mask = choose(
        Decoded(masks_of(0.1, 0.5, 0.2, 0.1), iou),
        (128, 256),
        "click",
        Rule(),
    )
    assert mask.predicted_iou == pytest.approx(0.6)
