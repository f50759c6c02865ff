"""Canonical keys: two different pictures can never share one."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from samgis_process.grid import GeoBox

KEY_BYTES = 20  # 160 bits: no accidental collision in any cache's life


def _digest(*fields: bytes) -> str:
    """Hash fields with their lengths before them, so that no two lists of fields read alike."""
    state = hashlib.blake2b(digest_size=KEY_BYTES)
    for field in fields:
        state.update(len(field).to_bytes(8, "big"))
        state.update(field)
    return state.hexdigest()


def embedding_key(
    *,
    source: str,
    source_version: str,
    grid: GeoBox,
    rendering: str,
    model: str,
    preprocessing: str,
) -> str:
    """Return the key of a picture's embedding: everything that its values depend on.

    Args:
        source: id of the source.
        source_version: what changes when the source's pixels do.
        rendering: name and version of the way from bands to picture.
        model: digest of the model's encoder.
        preprocessing: version of the way from picture to input frame.
    """
    window = (
        grid.zoom, grid.tile_size, grid.col_off, grid.row_off, grid.width, grid.height,
    )  # fmt: skip
    texts = (source, source_version, *map(str, window), rendering, model, preprocessing)
    return _digest(b"embedding-2", *(text.encode() for text in texts))


def prompts_key(
    embedding: str,
    model: str,
    coords: NDArray[np.float32],
    labels: NDArray[np.float32],
    steps: str,
) -> str:
    """Return the key of the logits that ordered prompts lead to on one embedding.

    Args:
        model: digest of the model's graphs, which may share an encoder, and its rule of choice.
        coords: (n, 2) in the input frame.
        labels: (n,).
        steps: how the prompts were replayed.
    """
    names = (text.encode() for text in (embedding, model, steps))
    return _digest(b"prompts-2", *names, coords.tobytes(), labels.tobytes())
