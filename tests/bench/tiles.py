"""Times of a window of 30 tiles: cold connections, warm ones, from the disk cache.

    python tests/bench/tiles.py [DIRECTORY]

The server is a process of its own on 127.0.0.1, as it would be elsewhere; it serves the tiles of
DIRECTORY/Z/X/Y.png, repeated where there are fewer than 30. Best of five.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
ROUNDS = 5
COLS, ROWS = 6, 5
ANCESTOR_MS = 4861  # its first request, the same number of tiles, no latency


def main():
    """Measure and print a table."""
    data = Path(os.environ.get("SAMGIS_TEST_DATA", ROOT.parent / "shared" / "data"))
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else data / "tiles" / "osm"
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(directory, theirs), daemon=True
    )
    server.start()
    try:
        print(table(measure(ours.recv())))
    finally:
        server.terminate()
        server.join()


def serve(directory, pipe):
    """Serve tiles until the process is ended; the pipe says where."""
    from tile_server import TileServer

    bodies = [path.read_bytes() for path in sorted(directory.rglob("*.png"))]
    assert bodies, f"no tiles in {directory}"

    def respond(path):
        _, x, y = path.rpartition(".")[0].strip("/").split("/")
        return bodies[(int(x) + COLS * int(y)) % len(bodies)]

    with TileServer(respond=respond) as tiles:
        pipe.send(tiles.url)
        time.sleep(3600)


def measure(url):
    """Return the best milliseconds of each kind of read."""
    from samgis_process.blobs import BlobStore
    from samgis_process.grid import GeoBox
    from samgis_process.sources.base import SourceInfo
    from samgis_process.sources.tile_cache import TileCache
    from samgis_process.sources.tiles import TileSource, Transport

    box = GeoBox(10, 256 * 550, 256 * 390, 256 * COLS, 256 * ROWS)
    info = SourceInfo("tiles", "Tiles", "1", (0, 19), 19)

    def source(cache=None):
        return TileSource(info, url + "/{z}/{x}/{y}.png", Transport(), cache=cache)

    times = {}
    times["first read, new connections"] = best(source, lambda s: s.read(box))
    warm = source()
    warm.read(box)
    times["connections open, cache off"] = best(lambda: warm, lambda s: s.read(box))
    with tempfile.TemporaryDirectory() as directory:
        kept = source(TileCache(BlobStore(Path(directory), 10**9)))
        times["first read, written to the cache"] = best(
            lambda: emptied(kept, directory), lambda s: s.read(box)
        )
        times["from the disk cache"] = best(lambda: kept, lambda s: s.read(box))
    return times


def emptied(source, directory):
    """Return the source after its cache was emptied."""
    for path in Path(directory).iterdir():
        path.unlink()
    return source


def best(prepare, run):
    """Return the least milliseconds of some rounds."""
    times = []
    for _ in range(ROUNDS):
        subject = prepare()
        begun = time.perf_counter()
        run(subject)
        times.append((time.perf_counter() - begun) * 1000)
    return min(times)


def table(times):
    """Return the figures as a Markdown table."""
    lines = [f"| {COLS * ROWS} tiles | best of {ROUNDS}, ms | ancestor's 4.8 s over it |"]
    lines.append("| --- | --- | --- |")
    lines += [f"| {name} | {ms:.0f} | {ANCESTOR_MS / ms:.0f} |" for name, ms in times.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
