"""The checkpoint to start from, as a plain dict of tensors."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

SHA256 = "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f"
TUNED = ("prompt_encoder.", "mask_decoder.")
# The position code is a fixed random matrix; all else of the two parts may move.
FIXED = ("prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",)


def read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of MobileSAM's checkpoint, float32.

    Raises:
        ValueError: the file is not the official checkpoint.
    """
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise ValueError(f"{path.name} is not the official checkpoint of MobileSAM")
    return dict(torch.load(path, map_location="cpu", weights_only=True))


def tunable(w: dict[str, Tensor]) -> list[str]:
    """Return the names of the tensors that training may move."""
    return [name for name in w if name.startswith(TUNED) and name not in FIXED]
