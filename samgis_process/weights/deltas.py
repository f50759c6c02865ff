"""Apply a fine-tune to a checkpoint: a file of numpy arrays that are added to its tensors.

The file (`models/training/weights_file.py` writes it) holds, under the checkpoint's own names,
either float16 arrays, or int8 arrays with `<name>.scale`, float16, for each index of the first
axis; and `base`, the SHA-256 of the checkpoint it was made for.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import ModelUnavailable

Array = NDArray[Any]

_BASE = "base"
_SCALE = ".scale"


def apply_delta(tensors: Mapping[str, Array], path: Path, base: str) -> dict[str, Array]:
    """Return a checkpoint's tensors, those of the delta changed.

    Args:
        tensors: of the checkpoint, by name.
        path: the delta.
        base: SHA-256 of the checkpoint, hex.

    Raises:
        ModelUnavailable: the file cannot be read, or was made for another checkpoint.
    """
    entries = _read(path)
    if str(entries.pop(_BASE, "")) != base:
        raise ModelUnavailable(f"{path.name} is for another checkpoint")
    result = dict(tensors)
    for name, steps in entries.items():
        if name.endswith(_SCALE):
            continue
        if name not in tensors or tensors[name].shape != steps.shape:
            raise ModelUnavailable(f"{path.name} is for another checkpoint: see {name}")
        added = steps.astype(np.float32)
        if steps.dtype == np.int8:
            scale = entries[name + _SCALE].astype(np.float32)
            added *= scale.reshape(-1, *[1] * (steps.ndim - 1))
        result[name] = (tensors[name] + added).astype(tensors[name].dtype)
    return result


def _read(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(f"{path.name} is no file of numpy arrays") from error
