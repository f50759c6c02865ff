"""The built MobileSAM agrees with the reference implementation on real pictures.

Tolerances: embedding and scores as float32 allows over some 40 layers; logits 2e-3 plus what
storing the reference in half precision costs. Measured: `python tests/golden_table.py`.
"""

from pathlib import Path

import numpy as np
import pytest

PICTURES = ("banepa_roofs", "ucayali_river", "zurich_ortho")
PROMPT_SETS = ("one_point", "include_exclude", "box", "box_point", "ten_points", "mask_prompt")


@pytest.fixture(scope="module")
def table(script):
    return script("golden_table")


@pytest.fixture(scope="module", params=PICTURES)
def case(request, table, test_data, model_dir):
    """The reference of one picture, and our embedding of it, float32 (4096, 256)."""
    golden = dict(np.load(Path(test_data) / "golden" / f"{request.param}.npz"))
    return golden, table.tokens(table.session(model_dir / "encoder.onnx"), golden)


@pytest.fixture(scope="module")
def decoder(table, model_dir):
    return table.session(model_dir / "decoder.onnx")


def test_the_embedding_is_the_reference_one(case, table):
    golden, tokens = case
    assert table.embedding_difference(tokens, golden) <= 1e-4


def test_the_whole_embedding_is_in_the_usual_order(case):
    golden, tokens = case
    usual = tokens.T.reshape(1, 256, 64, 64)
    np.testing.assert_allclose(usual, golden["embedding"], rtol=2.0**-10, atol=1e-4)


@pytest.mark.parametrize("prompts", PROMPT_SETS)
def test_masks_and_scores_are_the_reference_ones(case, table, decoder, prompts):
    golden, tokens = case
    difference = table.compare(decoder, tokens, golden, prompts)
    assert difference.excess <= 0
    assert difference.predicted_iou <= 1e-3
    assert not difference.mask_iou < 0.9999  # NaN where the reference is too coarse for masks


def test_a_mask_that_is_not_announced_is_not_looked_at(case, decoder):
    golden, tokens = case
    feeds = {
        "tokens": tokens,
        "point_coords": golden["box.coords"],
        "point_labels": golden["box.labels"],
        "has_mask_input": np.zeros(1, np.float32),
    }
    masks = np.zeros((1, 1, 256, 256), np.float32), np.full((1, 1, 256, 256), 9, np.float32)
    first, second = (decoder.run(None, {**feeds, "mask_input": mask})[0] for mask in masks)
    np.testing.assert_array_equal(first, second)


def test_padding_points_do_not_depend_on_their_place(case, decoder):
    golden, tokens = case
    feeds = {
        "tokens": tokens,
        "point_labels": np.array([[1, -1]], np.float32),
        "mask_input": np.zeros((1, 1, 256, 256), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
    }
    here = golden["one_point.coords"]
    there = here + np.array([[0, 0], [300, 200]], np.float32)
    first, second = (decoder.run(None, {**feeds, "point_coords": at})[0] for at in (here, there))
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_a_thousand_points_are_answered(case, decoder):
    golden, tokens = case
    logits, iou = decoder.run(None, padded(golden, tokens, 1000))
    assert np.isfinite(logits).all()
    assert np.isfinite(iou).all()


def padded(golden, tokens, total):
    """Return the feed of the reference's ten points with padding up to `total`."""
    coords, labels = golden["ten_points.coords"], golden["ten_points.labels"]
    missing = total - labels.shape[1]
    return {
        "tokens": tokens,
        "point_coords": np.pad(coords, ((0, 0), (0, missing), (0, 0))),
        "point_labels": np.pad(labels, ((0, 0), (0, missing)), constant_values=-1),
        "mask_input": np.zeros((1, 1, 256, 256), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
    }
