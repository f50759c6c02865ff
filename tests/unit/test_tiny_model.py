"""The test model answers sensibly on flat shapes, quickly, with the real one's shapes."""

import time

import numpy as np
import onnxruntime as ort
import pytest

from samgis_process.inference.catalogue import read_manifest

GREEN, RED, BLUE = (90, 140, 70), (200, 60, 50), (40, 70, 190)
ROWS, COLS = np.mgrid[:256, :256]
DISC = (ROWS - 90) ** 2 + (COLS - 70) ** 2 < 30**2
TWIN = (ROWS - 90) ** 2 + (COLS - 190) ** 2 < 24**2
BOX = (ROWS > 150) & (ROWS < 220) & (COLS > 40) & (COLS < 200)


@pytest.fixture(scope="module")
def sessions(tiny_model_dir):
    names = ("encoder.onnx", "decoder.onnx")
    providers = ["CPUExecutionProvider"]
    return [ort.InferenceSession(tiny_model_dir / name, providers=providers) for name in names]


@pytest.fixture(scope="module")
def tokens(sessions):
    """Two red discs and a blue rectangle on green, 1024 px wide, edges between the cells."""
    rows, cols = np.mgrid[:1024, :1024] / 4
    picture = np.full((1024, 1024, 3), GREEN, np.float32)
    picture[(rows - 90) ** 2 + (cols - 70) ** 2 < 30**2] = RED
    picture[(rows - 90) ** 2 + (cols - 190) ** 2 < 24**2] = RED
    picture[(rows > 150.6) & (rows < 220.3) & (cols > 40.4) & (cols < 200.7)] = BLUE
    normalised = (picture - [123.675, 116.28, 103.53]) / [58.395, 57.12, 57.375]
    image = normalised.transpose(2, 0, 1)[None].astype(np.float32)
    return sessions[0].run(["tokens"], {"image": image})[0].astype(np.float16).astype(np.float32)


@pytest.fixture
def decode(sessions, tokens):
    def run(points, labels, mask=None):
        """Return logits (4, 256, 256) and scores (4); points in cells of the mask grid."""
        feeds = {
            "tokens": tokens,
            "point_coords": np.array([points], np.float32) * 4 - 0.5,
            "point_labels": np.array([labels], np.float32),
            "mask_input": np.zeros((1, 1, 256, 256), np.float32) if mask is None else mask,
            "has_mask_input": np.array([mask is not None], np.float32),
        }
        logits, scores = sessions[1].run(["low_res_masks", "iou_predictions"], feeds)
        assert logits.shape == (1, 4, 256, 256)
        assert logits.dtype == scores.dtype == np.float32
        assert scores.shape == (1, 4)
        assert ((scores >= 0) & (scores <= 1)).all()
        return logits[0], scores[0]

    return run


def iou(logits, truth):
    mask = logits > 0
    return (mask & truth).sum() / (mask | truth).sum()


def test_a_click_finds_all_of_its_colour(decode):
    logits, scores = decode([(70, 90), (0, 0)], [1, -1])
    assert all(iou(mask, DISC | TWIN) > 0.95 for mask in logits)
    assert scores.min() > 0.7


def test_an_exclude_point_takes_the_twin_away(decode):
    logits, _ = decode([(70, 90), (190, 90)], [1, 0])
    assert iou(logits[0], DISC) > 0.95


def test_an_exclude_point_of_another_colour_does_no_harm(decode):
    logits, _ = decode([(120, 190), (10, 10)], [1, 0])
    assert iou(logits[0], BOX) > 0.95


def test_a_box_finds_what_is_in_it(decode):
    logits, _ = decode([(165, 64), (216, 117)], [2, 3])
    assert iou(logits[0], TWIN) > 0.95


def test_a_box_cuts_what_a_click_finds(decode):
    logits, _ = decode([(60, 170), (20, 140), (100, 250)], [1, 2, 3])
    assert iou(logits[0], BOX & (COLS < 100)) > 0.95


def test_edges_are_sharp(decode):
    logits, _ = decode([(120, 190)], [1])
    across = logits[0, 185, 195:207]  # the edge lies at 200.7
    assert across[:5].min() > 3
    assert across[-5:].max() < -3


def test_padding_points_are_not_looked_at(decode):
    one, _ = decode([(70, 90), (0, 0)], [1, -1])
    two, _ = decode([(70, 90), (120, 190)], [1, -1])
    np.testing.assert_array_equal(one, two)


def test_an_earlier_mask_counts_a_little(decode):
    earlier = np.where(DISC, 20, -20).astype(np.float32)[None, None]
    with_mask, _ = decode([(70, 90), (0, 0)], [1, -1], earlier)
    without, _ = decode([(70, 90), (0, 0)], [1, -1])
    assert 0 < np.abs(with_mask - without).max() < 1
    assert iou(with_mask[0], DISC | TWIN) > 0.95


def test_nothing_included_gives_nothing(decode):
    logits, scores = decode([(70, 90)], [0])
    assert logits.max() < 0
    assert scores.max() == 0


def test_it_is_small_and_quick(decode, tiny_model_dir):
    manifest = read_manifest(tiny_model_dir)
    assert manifest is not None
    assert manifest.id == "tiny"
    assert manifest.damaged(tiny_model_dir) == []
    assert sum(file.bytes for file in manifest.files.values()) < 50_000
    started = time.perf_counter()
    decode([(70, 90), (190, 90)], [1, 0])
    assert time.perf_counter() - started < 0.5
