"""Time and memory of terrain layers and renderings, against the encoder and against other tools.

    make bench

One thread each, process time, rounds interleaved, best of five: read the ratios. gdaldem is a
process of its own, whose start and reading and writing of a GeoTIFF count; xarray-spatial is
compiled before.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import onnxruntime as ort
import surfaces

sys.path.insert(0, str(Path(__file__).parent.parent))
import terrain_table

from samgis_process.inference import catalogue
from samgis_process.inference.sessions import Runtime, session_options
from samgis_process.rendering import TERRAIN, TerrainRendering, paint
from samgis_process.settings import ModelSettings
from samgis_process.terrain import LAYERS, Options, compute
from samgis_process.weights.build import ensure

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 5
MODELS = Path(os.environ.get("SAMGIS_MODELS_DIR", ROOT / "models"))
SIDE, HALO, CELL = 1024, 32, 10.0


def main():
    """Measure and print a table."""
    surface = hills()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "hills.tif"
        terrain_table.write(path, inner(surface.elevation), CELL, CELL)
        best = best_times(runs(surface, path))
    print(table(best, surface))


def hills():
    """Return ground of all wavelengths, in steps of 1/256 m, with cells around the window."""
    side = SIDE + 2 * HALO
    random = np.random.default_rng(1)
    waves = np.fft.rfft2(random.normal(0, 1, (side, side)))
    y, x = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    waves *= np.hypot(x, y).clip(1 / side) ** -2.2
    z = np.fft.irfft2(waves, (side, side))
    z = np.round((900 + 350 * z / z.std()) * 256) / 256
    return surfaces.even(z.astype(np.float32), CELL, CELL)


def inner(array):
    """Return the window without the cells around it."""
    return np.ascontiguousarray(array[HALO:-HALO, HALO:-HALO])


def ours(surface):
    """Return what we do, by name."""
    drawn = {
        f"rendering {name}": lambda name=name: paint(TerrainRendering(name, HALO), surface, HALO)
        for name in TERRAIN
    }
    layers = {
        name: lambda name=name: compute(surface, name, Options(), HALO)
        for name in LAYERS
        if name != "elevation"
    }
    return drawn | layers


def encoder(models):
    """Return a run of the default model's encoder, on one thread."""
    options = session_options(Runtime(threads=1))
    directory = ensure(catalogue.entry(ModelSettings().default), models, lambda *_: None)
    path = directory / "encoder.onnx"
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (picture,) = session.get_inputs()
    cells = np.random.default_rng(1).normal(0, 1, (1, 3, 64, 64)).astype(np.float32)
    feed = {picture.name: cells.repeat(16, 2).repeat(16, 3)}
    return lambda: session.run(None, feed)


def runs(surface, path):
    """Return all runs by name."""
    found = {"encoder": encoder(MODELS)} | ours(surface)
    part = terrain_table.Part(path, 1.0, surface, (CELL, CELL))
    small = part._replace(surface=surfaces.even(inner(surface.elevation), CELL, CELL))
    for layer in terrain_table.XRSPATIAL:
        found[f"{layer}, xarray-spatial"] = lambda layer=layer: terrain_table.xrspatial(
            small, layer
        )
    if shutil.which("gdaldem"):
        out = path.with_name("out.tif")
        for kind in ("slope", "aspect", "hillshade", "TPI"):
            command = ["gdaldem", kind, str(path), str(out), "-q"]
            found[f"{kind.lower()}, gdaldem"] = lambda command=command: subprocess.run(
                command, check=True, capture_output=True
            )
    return found


def best_times(runs, rounds=ROUNDS):
    """Return the least milliseconds of process time of each run; the first round warms up."""
    best = dict.fromkeys(runs, float("inf"))
    for turn in range(rounds + 1):
        for name, run in runs.items():
            begun = spent()
            run()
            if turn:
                best[name] = min(best[name], (spent() - begun) * 1000)
    return best


def spent():
    """Return seconds of processor time of this process and those it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_of_output(run):
    """Return the peak of memory allocated in a run, the result with it, in sizes of the result."""
    tracemalloc.start()
    try:
        result = run()
        return tracemalloc.get_traced_memory()[1] / result.nbytes
    finally:
        tracemalloc.stop()


def table(best, surface):
    """Return the figures as Markdown."""
    lines = [
        f"| {SIDE} x {SIDE} | ms | of the encoder | peak, results | gdaldem | xarray-spatial |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        f"| encoder, one thread | {best['encoder']:.0f} | | | | |",
    ]
    for name, run in ours(surface).items():
        others = [best.get(f"{name}, {tool}") for tool in ("gdaldem", "xarray-spatial")]
        cells = " | ".join("" if ms is None else f"{ms:.0f}" for ms in others)
        ratio = best[name] / best["encoder"]
        peak = peak_of_output(run)
        lines.append(f"| {name} | {best[name]:.0f} | {ratio:.3f} | {peak:.1f} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
