"""The file that ships: what was added to the checkpoint's tensors, small and without pickles.

An .npz with, for each tuned tensor under the checkpoint's own name, either

* int8 of the tensor's shape and `<name>.scale`, float16, one value for each index of the first
  axis: tensor = original + int8 * scale, or
* float16 of the tensor's shape, for small tensors: tensor = original + float16,

and `base`, the SHA-256 of the checkpoint it belongs to, as text. Reading it needs only numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

BASE = "base"
SCALE = ".scale"
SMALL = 4096  # values; smaller tensors are not worth a rounding

Tensors = Mapping[str, np.ndarray]


def pack(
    original: Tensors, tuned: Tensors, base: str, alpha: float = 1.0
) -> dict[str, np.ndarray]:
    """Return the file's entries; `alpha` goes from the original (0) to the tuned tensors (1)."""
    entries = {BASE: np.array(base)}
    for name in sorted(tuned):
        added = alpha * (tuned[name].astype(np.float64) - original[name])
        if added.size < SMALL:
            entries[name] = added.astype(np.float16)
        else:
            entries[name], entries[name + SCALE] = rounded(added)
    return entries


def rounded(added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `added` as int8 and the float16 scale of each index of its first axis."""
    largest = np.abs(added).reshape(len(added), -1).max(1)
    scale = np.maximum(largest / 127, 2**-24).astype(np.float16)  # at least the smallest float16
    steps = np.rint(added / spread(scale, added))
    return np.clip(steps, -127, 127).astype(np.int8), scale


def spread(scale: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return one scale a row, float32, ready to be multiplied with `like`."""
    return scale.astype(np.float32).reshape(-1, *[1] * (like.ndim - 1))


def apply(original: Tensors, path: Path, base: str) -> dict[str, np.ndarray]:
    """Return all tensors of the checkpoint, the tuned ones changed, float32.

    Raises:
        ValueError: the file belongs to another checkpoint, or names what that does not have.
    """
    result = dict(original)
    with np.load(path, allow_pickle=False) as file:
        if str(file[BASE]) != base:
            raise ValueError(f"{path.name} belongs to another checkpoint")
        for name in file.files:
            if name == BASE or name.endswith(SCALE):
                continue
            added = file[name]
            if name not in original or original[name].shape != added.shape:
                raise ValueError(f"{path.name} has {name}, which does not fit the checkpoint")
            step = spread(file[name + SCALE], added) if added.dtype == np.int8 else np.float32(1)
            result[name] = original[name] + added.astype(np.float32) * step
    return result
