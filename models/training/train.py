"""Tune prompt encoder and mask decoder on cached embeddings.

    python -m models.training.train CHECKPOINT CACHE OUT --minutes 25

Each step takes a few objects of a few views and plays a user: a first prompt, then corrections,
every run with the answer before it as mask prompt, as the server replays prompts. Every run is
trained on. Part of the steps ask on photographs, where the untouched decoder's answer is the
truth. Weights are pulled towards the original, averaged over steps, and saved every minute.
"""

from __future__ import annotations

import argparse
import copy
import csv
import logging
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.training import checkpoint
from models.training.play import practice, rehearse
from models.training.views import Cache, draw_batch

log = logging.getLogger(__name__)

Rng = np.random.Generator


def step(
    w: dict[str, Tensor],
    original: dict[str, Tensor],
    cache: Cache,
    asked: argparse.Namespace,
    rng: Rng,
) -> dict[str, float]:
    """Add up the gradients of a few small batches of different kinds."""
    seen: dict[str, float] = {}
    for _ in range(asked.parts):
        kind = cache.kind(rng)
        batch = draw_batch(cache, kind, asked.batch, asked.device, rng)
        if kind == "photo":
            seen["photo"] = rehearse(w, original, batch, rng)
        else:
            seen |= practice(w, batch, rng) | {f"click_{kind}": math.nan}
            seen[f"click_{kind}"] = seen.pop("click", math.nan)
    return seen


def train(w: dict[str, Tensor], cache: Cache, out: Path, asked: argparse.Namespace) -> None:
    """Run until the time is over; writes `weights.npz` (averaged) and `curve.csv`."""
    original = {name: tensor.clone() for name, tensor in w.items()}
    names = checkpoint.tunable(w)
    if asked.start:
        with np.load(asked.start) as file:
            w |= {name: torch.from_numpy(file[name]).to(asked.device) for name in names}
    for name in names:
        w[name].requires_grad_(True)
    average = {name: w[name].detach().clone() for name in names}
    optimizer = torch.optim.AdamW([w[name] for name in names], lr=asked.rate, weight_decay=0)
    rng, began, saved, number = np.random.default_rng(asked.seed), time.time(), 0.0, 0
    while (done := (time.time() - began) / (60 * asked.minutes)) < 1 and number < asked.steps:
        rate = asked.rate * min(1, (number + 1) / 20) * 0.5 * (1 + math.cos(math.pi * done))
        optimizer.param_groups[0]["lr"] = rate
        if number % 20 == 0:
            cache.refresh()
        seen = step(w, original, cache, asked, rng)
        torch.nn.utils.clip_grad_norm_([w[name] for name in names], asked.clip)
        optimizer.step()
        optimizer.zero_grad()
        keep = min(asked.average, (1 + number) / (10 + number))
        with torch.no_grad():
            for name in names:
                w[name].lerp_(original[name], rate * asked.pull)
                average[name].lerp_(w[name], 1 - keep)
        number += 1
        record(out / "curve.csv", {"step": number, "seconds": round(time.time() - began), **seen})
        if asked.meet and number % asked.meet_every == 0:
            meet(w, names, asked.meet, asked.seed)
        if time.time() - saved > 60:
            saved = time.time()
            save(out / "weights.npz", average)
            log.info("step %d, %.0f s, %s", number, saved - began, brief(seen))
    save(out / "weights.npz", average)


def meet(w: dict[str, Tensor], names: list[str], place: Path, seed: int) -> None:
    """Leave the weights for other processes of the same training, and go half way to theirs.

    Local steps with averaging now and then (Stich 2019, arXiv:1805.09767): processes need not
    wait for each other, which on shared cores costs more than it brings.
    """
    place.mkdir(parents=True, exist_ok=True)
    mine = place / f"{seed}.npz"
    for theirs in set(place.glob("*.npz")) - {mine}:
        with np.load(theirs) as file, torch.no_grad():
            for name in names:
                w[name].lerp_(torch.from_numpy(file[name]).to(w[name].device), 0.5)
    save(mine.with_suffix(".part.tmp"), {name: w[name] for name in names})
    mine.with_suffix(".part.tmp").rename(mine)


def record(path: Path, seen: dict[str, float]) -> None:
    """Append a row a value: step, seconds, what, value."""
    step_, seconds = seen["step"], seen["seconds"]
    with path.open("a", newline="") as file:
        rows = [(step_, seconds, key, f"{value:.4f}") for key, value in list(seen.items())[2:]]
        csv.writer(file).writerows(row for row in rows if row[3] != "nan")


def brief(seen: dict[str, float]) -> str:
    """Return what was seen, for the log."""
    return " ".join(f"{key}={value:.3f}" for key, value in seen.items())


def save(path: Path, weights: dict[str, Tensor]) -> None:
    """Write the tuned tensors under the checkpoint's names, float32."""
    with path.open("wb") as file:
        np.savez(file, **{name: tensor.detach().cpu().numpy() for name, tensor in weights.items()})


def main() -> None:
    """Read what was asked for, and train."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--steps", type=int, default=10**6)
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--pull", type=float, default=2.0, help="towards the original, per rate")
    parser.add_argument("--average", type=float, default=0.98)
    parser.add_argument("--clip", type=float, default=2.0)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--parts", type=int, default=3)
    parser.add_argument("--meet", type=Path, help="where processes of one training meet")
    parser.add_argument("--meet-every", type=int, default=3, help="steps")
    parser.add_argument("--start", type=Path, help="weights.npz to go on from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(asked.seed)
    w = {name: t.to(asked.device) for name, t in checkpoint.read(asked.checkpoint).items()}
    w = {name: t for name, t in w.items() if name.startswith(checkpoint.TUNED)}
    train(copy.copy(w), Cache(asked.cache), asked.out, asked)


if __name__ == "__main__":
    main()
