"""Values that stay on a device give the same answers as plain arrays."""

import numpy as np
import onnxruntime as ort

from samgis_process.inference.sessions import Runtime, Session, session_options


def test_bound_values_answer_like_plain_ones(tiny_model_dir):
    opened = ort.InferenceSession(
        tiny_model_dir / "decoder.onnx",
        session_options(Runtime(threads=1)),
        providers=["CPUExecutionProvider"],
    )
    random = np.random.default_rng(1)
    tokens = random.normal(size=(4096, 256)).astype(np.float32)
    prompts = {
        "point_coords": np.array([[[500, 300], [0, 0]]], np.float32),
        "point_labels": np.array([[1, -1]], np.float32),
        "mask_input": np.zeros((1, 1, 256, 256), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
    }
    outputs = {"low_res_masks": "logits", "iou_predictions": "iou"}
    answers = []
    for session in (Session(opened), Session(opened, device="cpu")):
        seen = session.resident(tokens)
        # what is resident serves again
        answers += [session.run(outputs, {"tokens": seen, **prompts}) for _ in range(2)]
    for answer in answers[1:]:
        for name, value in answers[0].items():
            np.testing.assert_array_equal(answer[name], value)
