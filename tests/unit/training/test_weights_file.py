import numpy as np
import pytest

from models.training import weights_file


@pytest.fixture
def original():
    rng = np.random.default_rng(1)
    return {
        "mask_decoder.big": rng.normal(size=(96, 64)).astype(np.float32),
        "mask_decoder.small": rng.normal(size=7).astype(np.float32),
        "image_encoder.kept": rng.normal(size=3).astype(np.float32),
    }


@pytest.fixture
def tuned(original):
    rng = np.random.default_rng(2)
    names = ("mask_decoder.big", "mask_decoder.small")
    return {n: (original[n] + rng.normal(0, 0.01, original[n].shape)).astype("f4") for n in names}


def written(path, original, tuned, **options):
    np.savez(path, **weights_file.pack(original, tuned, "abc", **options))
    return path


def test_reading_gives_the_tuned_tensors_within_a_hundredth_of_the_change(
    tmp_path, original, tuned
):
    read = weights_file.apply(original, written(tmp_path / "w.npz", original, tuned), "abc")
    for name, tensor in tuned.items():
        error = np.linalg.norm(read[name] - tensor) / np.linalg.norm(tensor - original[name])
        assert error < 0.01, name
        assert read[name].dtype == np.float32


def test_tensors_that_were_not_tuned_stay_as_they_are(tmp_path, original, tuned):
    read = weights_file.apply(original, written(tmp_path / "w.npz", original, tuned), "abc")
    assert np.array_equal(read["image_encoder.kept"], original["image_encoder.kept"])


def test_alpha_zero_is_the_original(tmp_path, original, tuned):
    path = written(tmp_path / "w.npz", original, tuned, alpha=0)
    read = weights_file.apply(original, path, "abc")
    assert all(np.array_equal(read[name], original[name]) for name in original)


def test_a_row_that_did_not_move_is_kept_exactly(tmp_path, original, tuned):
    tuned["mask_decoder.big"][5] = original["mask_decoder.big"][5]
    read = weights_file.apply(original, written(tmp_path / "w.npz", original, tuned), "abc")
    assert np.array_equal(read["mask_decoder.big"][5], original["mask_decoder.big"][5])


def test_a_file_of_another_checkpoint_is_refused(tmp_path, original, tuned):
    path = written(tmp_path / "w.npz", original, tuned)
    with pytest.raises(ValueError, match="another checkpoint"):
        weights_file.apply(original, path, "def")


def test_a_tensor_that_the_checkpoint_lacks_is_refused(tmp_path, original, tuned):
    path = written(tmp_path / "w.npz", original, tuned)
    del original["mask_decoder.small"]
    with pytest.raises(ValueError, match=r"mask_decoder\.small"):
        weights_file.apply(original, path, "abc")
