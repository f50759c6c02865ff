"""Times of requests over HTTP against raw onnxruntime on the same files, in one run.

    make bench

Rounds are interleaved and the best of five counts; on a shared machine read the ratios.
"""

import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import requests
import uvicorn
from PIL import Image

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 5
BBOX = [-29.59652, 41.25536, -29.58304, 41.26479]
CLICK = (-29.58979, 41.26234)


def main():
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as cache:
        services, url = serve(cache)
        print(table(measure(services, url)))


def serve(cache):
    """Start the server in a thread; return its services and address."""
    from samgis_process.server.app import create_app
    from samgis_process.server.wiring import build_services
    from samgis_process.settings import parse

    section = {
        "models": {"directory": str(ROOT / "models")},
        "cache": {"directory": cache},
    }
    services = build_services(parse(section, ROOT))
    services.models.default.warm_up()
    services.sources.open_all()
    app = create_app(ROOT / "pygeoapi-config.yml", services)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    return services, f"http://127.0.0.1:{port}/processes/segment/execution"


def measure(services, url):
    """Return the best milliseconds of each kind of run."""
    from samgis_process.inference.frame import InputFrame, preprocess
    from samgis_process.server.wiring import Caches

    encoder, decoder = raw_sessions(services)
    noise = np.random.default_rng(1).integers(0, 255, (585, 629, 3), np.uint8)
    image = np.asarray(Image.fromarray(noise).resize((629, 585)))
    feed = {"image": preprocess(image, InputFrame(629, 585))}
    tokens = encoder.run(None, feed)[0]
    caches = Caches.of(services.settings)
    http = requests.Session()
    runs = {
        "raw encoder": lambda _: encoder.run(None, feed),
        "raw decoder, one click": lambda _: decoder.run(None, prompt(tokens)),
        "request, cold": lambda _: ask(http, url, 0, "miss"),
        "request, warm, new click": lambda turn: ask(http, url, turn + 1, "hit"),
        "request, warm, same click": lambda turn: ask(http, url, turn + 1, "hit"),
    }
    best = dict.fromkeys(runs, float("inf"))
    for turn in range(ROUNDS + 1):
        for name, run in runs.items():
            if name == "request, cold":
                caches.embeddings.clear()
                caches.prefixes.clear()
            begun = time.perf_counter()
            run(turn)
            if turn:  # the first round opens connections and fills caches
                best[name] = min(best[name], (time.perf_counter() - begun) * 1000)
    return best


def raw_sessions(services):
    """Open the same files with the same threads, without our code around."""
    from samgis_process.inference.sessions import session_options

    model = services.models.default
    options = session_options(model.runtime)
    return tuple(
        ort.InferenceSession(model._directory / name, options, providers=["CPUExecutionProvider"])
        for name in (model.manifest.encoder, model.manifest.decoder)
    )


def prompt(tokens):
    """Return the decoder's feed of one click."""
    return {
        "tokens": tokens,
        "point_coords": np.array([[[500, 400], [0, 0]]], np.float32),
        "point_labels": np.array([[1, -1]], np.float32),
        "mask_input": np.zeros((1, 1, 256, 256), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
    }


def ask(http, url, turn, state):
    """Execute over HTTP with a click of its own for each turn."""
    at = {"lng": CLICK[0] + turn * 1e-4, "lat": CLICK[1]}
    inputs = {
        "bbox": BBOX,
        "zoom": 16,
        "source": "sample",
        "prompt": [{"type": "point", "data": at}],
    }
    answer = http.post(url, json={"inputs": inputs}, timeout=60)
    answer.raise_for_status()
    member = answer.json()["samgis"]
    assert member["cache"] == state, member


def table(best):
    """Return the figures as Markdown."""
    encoder, decoder = best["raw encoder"], best["raw decoder, one click"]
    against = {
        "request, cold": ("encoder + decoder", encoder + decoder),
        "request, warm, new click": ("decoder", decoder),
        "request, warm, same click": ("decoder", decoder),
    }
    lines = ["| run | best of five, ms | ratio |", "| --- | ---: | --- |"]
    for name, ms in best.items():
        what, base = against.get(name, ("", 0))
        ratio = f"{ms / base:.2f} of {what}" if base else ""
        lines.append(f"| {name} | {ms:.1f} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
