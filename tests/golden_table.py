"""Compare the built MobileSAM with the reference data: `python tests/golden_table.py`.

The reference: three pictures and six prompt sets, made with the PyTorch implementation.
`tests/oracle/test_golden.py` holds the same numbers to their tolerances.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort

PROMPT_SETS = ("one_point", "include_exclude", "box", "box_point", "ten_points", "mask_prompt")
MEAN = np.array([123.675, 116.28, 103.53])
STD = np.array([58.395, 57.12, 57.375])
LOGIT_TOLERANCE = 2e-3
HALF_PRECISION = 2.0**-11  # the reference logits are stored as float16

Golden = dict[str, Any]


class Difference(NamedTuple):
    """How far one answer is from the reference.

    Attributes:
        logits: largest difference.
        excess: the same beyond what storing in half precision explains; at most 0 is right.
        mask_iou: least of four masks, NaN where the reference has only every eighth cell.
        predicted_iou: largest difference.
    """

    logits: float
    excess: float
    mask_iou: float
    predicted_iou: float


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def input_frame(image: np.ndarray) -> np.ndarray:
    """Return the encoder's input, float32 (1, 3, 1024, 1024), of a picture 1024 px long."""
    frame = np.zeros((1024, 1024, 3), np.float32)
    frame[: image.shape[0], : image.shape[1]] = (image - MEAN) / STD
    return frame.transpose(2, 0, 1)[None]


def tokens(encoder: ort.InferenceSession, golden: Golden) -> np.ndarray:
    return encoder.run(["tokens"], {"image": input_frame(golden["image"])})[0]


def embedding_difference(found: np.ndarray, golden: Golden) -> float:
    sample = found.T.reshape(-1)[golden["embedding_sample_index"]]
    return float(np.abs(sample - golden["embedding_sample"]).max())


def compare(
    decoder: ort.InferenceSession, embedding: np.ndarray, golden: Golden, name: str
) -> Difference:
    """Run one prompt set and compare."""
    mask = golden.get(f"{name}.mask_input")
    feeds = {
        "tokens": embedding,
        "point_coords": golden[f"{name}.coords"],
        "point_labels": golden[f"{name}.labels"],
        "mask_input": np.zeros((1, 1, 256, 256), np.float32) if mask is None else mask,
        "has_mask_input": np.array([mask is not None], np.float32),
    }
    logits, iou = decoder.run(["low_res_masks", "iou_predictions"], feeds)
    expected = golden[f"{name}.low_res"].astype(np.float32)
    is_full = expected.shape == logits.shape
    difference = np.abs((logits if is_full else logits[..., ::8, ::8]) - expected)
    allowed = LOGIT_TOLERANCE + HALF_PRECISION * np.abs(expected)
    return Difference(
        float(difference.max()),
        float((difference - allowed).max()),
        least_iou(logits > 0, expected > 0) if is_full else float("nan"),
        float(np.abs(iou - golden[f"{name}.iou"]).max()),
    )


def least_iou(a: np.ndarray, b: np.ndarray) -> float:
    both, either = (a & b).sum((-1, -2)), (a | b).sum((-1, -2))
    return float(np.where(either, both / np.maximum(either, 1), 1).min())


def rows(model: Path, data: Path) -> Iterator[tuple[str, str, float, Difference]]:
    """Give picture, prompt set, difference of the embedding, and that of the answer."""
    encoder, decoder = session(model / "encoder.onnx"), session(model / "decoder.onnx")
    for path in sorted(data.glob("golden/*.npz")):
        golden = dict(np.load(path))
        embedding = tokens(encoder, golden)
        distance = embedding_difference(embedding, golden)
        for name in PROMPT_SETS:
            yield path.stem, name, distance, compare(decoder, embedding, golden, name)


def main() -> None:
    root = Path(__file__).parent.parent
    sys.path.insert(0, str(root))
    from samgis_process.inference.catalogue import entry
    from samgis_process.weights.build import ensure

    models = Path(os.environ.get("SAMGIS_MODELS_DIR", root / "models"))
    data = Path(os.environ.get("SAMGIS_TEST_DATA", root.parent / "shared" / "data"))
    model = ensure(entry("mobile-sam"), models, lambda _message, _share: None)
    print("| picture | prompts | embedding | logits | beyond tolerance | mask IoU | score |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for picture, prompts, embedding, d in rows(model, data):
        numbers = f"{embedding:.1e} | {d.logits:.1e} | {max(d.excess, 0):.1e}"
        print(f"| {picture} | {prompts} | {numbers} | {d.mask_iou:.6f} | {d.predicted_iou:.1e} |")


if __name__ == "__main__":
    main()
