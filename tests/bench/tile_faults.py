"""What a user sees of a bad tile server, and after how long: prints the table of the docs.

    python tests/bench/tile_faults.py

A window of 30 tiles with the default settings; each fault has a server of its own on 127.0.0.1.
"""

import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
import tile_server

from samgis_process.errors import NoData, SamgisError, SourceTimeout, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.sources.base import SourceInfo
from samgis_process.sources.tiles import TileSource, Transport

BOX = GeoBox(10, 256 * 550, 256 * 390, 256 * 6, 256 * 5)


def picture(side=256, mode="RGB"):
    """Return a PNG of so many pixels along its side."""
    buffer = io.BytesIO()
    Image.new(mode, (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


def raw(head, body=b""):
    """Answer with a status line and headers as they stand."""
    return tile_server.raw(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)


TILE = picture()
FAULTS = {
    "no server there": None,
    "server answers nothing": tile_server.hang(70),
    "a byte of the body now and then": tile_server.drip(70),
    "a byte of the headers now and then": tile_server.drip_headers(70),
    "500 for each request": (500, b""),
    "503, `Retry-After: 3600`": (503, b""),
    "403": (403, b""),
    "404 for each tile": (404, b""),
    "404 for some tiles": lambda path: (404, b"") if "/551/" in path else TILE,
    "a page of HTML": b"<html>log in</html>",
    "PNG cut short": TILE[:-30],
    "tile of 512 pixels": picture(512),
    "PNG of 10 000 x 10 000 pixels": picture(10_000, "1"),
    "body of more than 16 MiB": bytes(2**24 + 1),
    "redirects in circles": (302, b"", {"Location": "/again"}),
    "redirect to another host": (302, b"", {"Location": "http://localhost:9/tile.png"}),
    "length that is no number": raw(b"Content-Length: many", TILE),
    "length larger than the body": raw(b"Content-Length: 99999", TILE),
}

LONG = [fault for fault in FAULTS if fault.startswith(("server answers", "a byte"))]


def main():
    """Measure one fault after the other, but those that are all waiting together."""
    with ThreadPoolExecutor(len(LONG)) as pool:
        rows = dict(zip(LONG, pool.map(row, LONG), strict=True))
    print("| fault | answer | seconds |\n| --- | --- | --- |")
    for fault in FAULTS:
        print(rows.get(fault) or row(fault))


def row(fault):
    """Return the fault's line of the table."""
    answer = FAULTS[fault]
    by_path = fault == "404 for some tiles"
    respond = answer if by_path else lambda _: answer
    info = SourceInfo("SOURCE", "", "1", (0, 19), 19)
    with tile_server.TileServer(respond=respond) as server:
        url = server.url if answer else "http://127.0.0.1:9"
        source = TileSource(info, url + "/{z}/{x}/{y}.png", Transport())
        begun = time.perf_counter()
        said = read(source)
        return f"| {fault} | {said} | {time.perf_counter() - begun:.2f} |"


def read(source):
    """Return what the answer says."""
    try:
        raw = source.read(BOX)
    except SamgisError as error:
        kinds = (NoData, SourceTimeout, SourceUnavailable)
        return f"{next(kind.__name__ for kind in kinds if isinstance(error, kind))}: {error}"
    return f"an answer with the warning: {raw.warnings[0] if raw.warnings else 'none'}"


if __name__ == "__main__":
    main()
