"""Write the file that ships from the weights of one or more processes of a training.

python -m models.training.export CHECKPOINT OUT.npz WEIGHTS.npz ... --alpha 0.8
"""

from __future__ import annotations

import argparse
import hashlib
import logging
from pathlib import Path

import numpy as np

from models.training import checkpoint, weights_file

log = logging.getLogger(__name__)


def mean(paths: list[Path]) -> dict[str, np.ndarray]:
    """Return the mean of the weights in several files."""
    files = [np.load(path) for path in paths]
    return {name: np.mean([file[name] for file in files], axis=0) for name in files[0].files}


def main() -> None:
    """Average, interpolate, round, write, and say how much the rounding moved."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--alpha", type=float, default=1.0, help="0 original, 1 tuned")
    asked = parser.parse_args()
    original = {name: t.numpy() for name, t in checkpoint.read(asked.checkpoint).items()}
    tuned = mean(asked.weights)
    entries = weights_file.pack(original, tuned, checkpoint.SHA256, asked.alpha)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(asked.out, **entries)
    read = weights_file.apply(original, asked.out, checkpoint.SHA256)
    moved = np.sqrt(sum(np.square(asked.alpha * (tuned[n] - original[n])).sum() for n in tuned))
    exact = {n: original[n] + asked.alpha * (tuned[n] - original[n]) for n in tuned}
    error = np.sqrt(sum(np.square(read[n] - exact[n]).sum() for n in tuned))
    size = sum(np.square(original[n]).sum() for n in tuned) ** 0.5
    digest = hashlib.sha256(asked.out.read_bytes()).hexdigest()
    log.info("%s %d bytes, SHA-256 %s", asked.out.name, asked.out.stat().st_size, digest)
    log.info(
        "moved by %.4f of the weights' norm, rounding error %.4f of that",
        moved / size,
        error / moved,
    )


if __name__ == "__main__":
    main()
