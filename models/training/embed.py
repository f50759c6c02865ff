"""Make the embeddings that training reads: one file a view, endlessly new views.

    python -m models.training.embed CHECKPOINT PAIRS CACHE --views 400

With the encoder frozen an embedding can be made once and used for many objects and clicks; on a
CPU that is nine tenths of the work. Views are independent of each other, so several processes
may fill one cache (give each its own --seed), and training may start while they run.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from models.training import checkpoint, scenes
from models.training.encoder import encode, frame
from models.training.photos import photos
from models.training.pictures import LICENSED, Sample, objects, pairs, photographed, varied

log = logging.getLogger(__name__)

Encoder = Callable[[np.ndarray], np.ndarray]  # picture -> embedding (4096, 256)
PLAIN = 0.2  # of the views of pairs are left as they are
KINDS = {"pairs": 0.62, "drawn": 0.25, "photo": 0.13}


def views(root: Path, rng: np.random.Generator) -> Iterator[tuple[str, Sample]]:
    """Yield (kind, sample) for ever; a kind is a source, `drawn` or `photo`."""
    known, others = pairs(root, "train"), photos()
    while True:
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        if kind == "pairs":
            kind = str(rng.choice(list(LICENSED), p=list(LICENSED.values())))
            if rng.random() < PLAIN:
                image, labels = known[kind][rng.integers(len(known[kind]))]
                yield kind, (image, objects(labels))
            else:
                yield kind, varied(known[kind], rng)
        elif kind == "drawn":
            yield kind, drawn(rng)
        else:
            yield kind, varied([others[rng.integers(len(others))]], rng)


def drawn(rng: np.random.Generator) -> Sample:
    """Return a drawn scene as a camera sees it, or a window of one."""
    scene = scenes.draw(rng)
    if rng.random() < 0.5:
        return varied([scene], rng)
    return photographed(scene[0], rng), objects(scene[1])


def main() -> None:
    """Fill the cache."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--views", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--onnx", type=Path, help="the built encoder.onnx: half the time on a CPU")
    asked = parser.parse_args()
    encoder = graph(asked.onnx) if asked.onnx else network(asked.checkpoint, asked.device)
    stream = views(asked.pairs, np.random.default_rng(asked.seed))
    for number in range(asked.views):
        kind, (image, labels) = next(stream)
        if kind == "photo" or labels.any():
            save(asked.cache / kind / f"{asked.seed}-{number:05d}.npz", encoder(image), labels)
        if number % 20 == 0:
            log.info("%d views", number)


def network(path: Path, device: str) -> Encoder:
    """Return the encoder of the checkpoint in PyTorch."""
    w = {name: tensor.to(device) for name, tensor in checkpoint.read(path).items()}
    return lambda image: (
        encode(w, torch.from_numpy(frame(image))[None].to(device))[0].cpu().numpy()
    )


def graph(path: Path) -> Encoder:
    """Return the encoder as built by the package, run by onnxruntime on one thread."""
    import onnxruntime as ort  # noqa: PLC0415  only needed here

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda image: session.run(["tokens"], {"image": frame(image)[None]})[0]


def save(path: Path, tokens: np.ndarray, labels: np.ndarray) -> None:
    """Write one view whole or not at all, as others may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_suffix(".tmp")
    with hidden.open("wb") as file:
        np.savez(file, tokens=tokens.astype(np.float16), labels=labels.astype(np.uint16))
    hidden.rename(path)


if __name__ == "__main__":
    main()
