"""Compare our PyTorch MobileSAM with golden references of the reference implementation.

python -m models.training.check CHECKPOINT GOLDEN_DIRECTORY
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import torch

from models.training import checkpoint
from models.training.decoder import decode
from models.training.encoder import encode, frame

log = logging.getLogger(__name__)

SETS = ("one_point", "include_exclude", "box", "box_point", "ten_points", "mask_prompt")


def differences(w: dict[str, torch.Tensor], golden: np.lib.npyio.NpzFile) -> dict[str, float]:
    """Return the largest difference of the embedding, of each prompt set's IoU and logits."""
    tokens = encode(w, torch.from_numpy(frame(golden["image"]))[None])
    flat = tokens[0].T.reshape(-1).numpy()
    found = {
        "embedding": np.abs(flat[golden["embedding_sample_index"]] - golden["embedding_sample"])
    }
    for name in SETS:
        earlier = f"{name}.mask_input"
        mask = torch.from_numpy(golden[earlier])[:, 0] if earlier in golden else None
        coords, labels = (
            torch.from_numpy(golden[f"{name}.{part}"]) for part in ("coords", "labels")
        )
        logits, iou = decode(w, tokens, coords, labels, mask)
        expected = golden[f"{name}.low_res"].astype(np.float32)
        step = logits.shape[-1] // expected.shape[-1]
        found[f"{name}.iou"] = np.abs(iou.numpy() - golden[f"{name}.iou"])
        error = np.abs(logits[..., ::step, ::step].numpy() - expected)
        # The references are float16: beyond that rounding nothing may be left.
        found[f"{name}.low_res"] = np.maximum(error - np.abs(expected) * 2**-11, 0)
    return {key: float(value.max()) for key, value in found.items()}


@torch.inference_mode()
def main() -> None:
    """Print the differences of each golden file."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    w = checkpoint.read(Path(sys.argv[1]))
    for path in sorted(Path(sys.argv[2]).glob("*.npz")):
        with np.load(path) as golden:
            found = differences(w, golden)
        log.info("%s %s", path.stem, " ".join(f"{k}={v:.1e}" for k, v in found.items()))


if __name__ == "__main__":
    main()
