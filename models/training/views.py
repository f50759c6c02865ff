"""Cached pictures, and batches of objects on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.training import losses, prompts
from models.training.encoder import framed_size

Rng = np.random.Generator
SHARES = {
    "oam_banepa": 0.31,
    "naip_potholes": 0.16,
    "landsat_ucayali": 0.1,
    "drawn": 0.17,
    "photo": 0.26,
}


class View:
    """One cached picture: its embedding, label map and size in the frame."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.tokens = torch.from_numpy(file["tokens"].astype(np.float32))
            self.labels = file["labels"]
        self.size = framed_size(*self.labels.shape)

    def truth(self, rng: Rng) -> np.ndarray:
        """Return the soft truth of one object; small and large alike."""
        return prompts.soft_truth(self.labels, int(rng.integers(self.labels.max())) + 1, self.size)


class Batch:
    """Objects asked about at the same time, one prompt set each, all of the same length."""

    def __init__(self, views: list[View], truths: list[np.ndarray], device: str) -> None:
        self.tokens = torch.stack([view.tokens for view in views]).to(device)
        self.held = losses.held_cells([view.size for view in views], device)
        self.truth = torch.from_numpy(np.stack(truths)).to(device)
        self.device = device

    def inputs(self, asked: list[prompts.Prompts]) -> tuple[Tensor, Tensor]:
        """Return coords (B, N, 2) and labels (B, N)."""
        arrays = [each.arrays() for each in asked]
        coords, labels = (np.stack(parts) for parts in zip(*arrays, strict=True))
        return torch.from_numpy(coords).to(self.device), torch.from_numpy(labels).to(self.device)


class Cache:
    """The views on disk; grows while an embedding process is still running."""

    def __init__(self, root: Path) -> None:
        self.root, self.paths = root, {}

    def refresh(self) -> None:
        """Look for new views."""
        self.paths = {kind: sorted((self.root / kind).glob("*.npz")) for kind in SHARES}

    def kind(self, rng: Rng) -> str:
        """Return a kind that has views, by its share."""
        shares = np.array([SHARES[kind] * bool(self.paths[kind]) for kind in SHARES])
        return str(rng.choice(list(SHARES), p=shares / shares.sum()))

    def pick(self, kind: str, rng: Rng) -> View:
        """Return a random view of a kind."""
        return View(self.paths[kind][rng.integers(len(self.paths[kind]))])


def draw_batch(cache: Cache, kind: str, size: int, device: str, rng: Rng) -> Batch:
    """Return `size` objects, two from each view."""
    picked = [cache.pick(kind, rng) for _ in range((size + 1) // 2)]
    views = [view for view in picked for _ in range(2)][:size]
    blank = np.zeros((prompts.GRID, prompts.GRID), np.float32)
    truths = [blank if kind == "photo" else view.truth(rng) for view in views]
    return Batch(views, truths, device)
