"""Apply a fine-tune to a checkpoint: a file of numpy arrays that replace its own tensors."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import ModelUnavailable

Array = NDArray[Any]


def apply_delta(tensors: Mapping[str, Array], path: Path) -> dict[str, Array]:
    """Return a checkpoint's tensors with those of a delta in their place.

    Args:
        tensors: of the checkpoint, by name.
        path: an .npz file of arrays under the checkpoint's names, of the same shapes; usually
            float16, which halves the file. They are widened to the checkpoint's dtype.

    Raises:
        ModelUnavailable: the file cannot be read, or was made for another checkpoint.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            replaced = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(f"{path.name} is no file of numpy arrays") from error
    for name, array in replaced.items():
        if name not in tensors or tensors[name].shape != array.shape:
            raise ModelUnavailable(f"{path.name} is for another checkpoint: see {name}")
    widened = {name: array.astype(tensors[name].dtype) for name, array in replaced.items()}
    return {**tensors, **widened}
