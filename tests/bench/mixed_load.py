"""Memory of a server under a mixed load: `python tests/bench/mixed_load.py [seconds] [clients]`.

Clients click where they clicked before, elsewhere and on pictures of their own, and ask for
composites and jobs. Every five seconds the server's resident memory is read; the slope is that of
the second half, in MB a minute.
"""

import base64
import io
import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import requests
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
from server_process import ServerProcess, configure

from samgis_process.settings import ModelSettings

WEST, SOUTH, EAST, NORTH = -29.596, 41.255, -29.574, 41.272
EVERY_S = 5


def picture(dice):
    pixels = np.asarray(dice.choices(range(256), k=300 * 300 * 3), np.uint8).reshape(300, 300, 3)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def window(dice, places):
    west = WEST + 0.0005 * dice.randrange(places)
    south = SOUTH + 0.0005 * dice.randrange(places)
    return [west, south, west + 0.01, south + 0.008]


def point(dice, bbox):
    west, south, east, north = bbox
    lng, lat = dice.uniform(west, east), dice.uniform(south, north)
    return {"type": "point", "data": {"lng": lng, "lat": lat}}


def request(dice, pictures):
    kind = dice.random()
    bbox = window(dice, 3 if kind < 0.6 else 20)
    inputs = {"bbox": bbox, "prompt": [point(dice, bbox) for _ in range(dice.choice((1, 1, 3)))]}
    if kind < 0.75:
        return "segment", inputs | {"source": "sample"}, {}
    if kind < 0.82:
        return "segment", inputs | {"image": dice.choice(pictures)}, {}
    if kind < 0.9:
        return "segment", inputs | {"source": "sample-dem"}, {}
    if kind < 0.95:
        return "dem-composite", {"bbox": bbox, "source": "sample-dem", "layers": ["slope"]}, {}
    return "segment", inputs | {"source": "sample"}, {"Prefer": "respond-async"}


def client(url, number, until, counted):
    dice = random.Random(number)
    pictures = [picture(dice) for _ in range(3)]
    session = requests.Session()
    while time.monotonic() < until:
        process, inputs, headers = request(dice, pictures)
        address = f"{url}/processes/{process}/execution"
        answer = session.post(address, json={"inputs": inputs}, headers=headers, timeout=300)
        counted.append(answer.status_code)


def resident(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def measure(directory, seconds=600, clients=16):
    """Return (seconds, MB) of the server every few seconds, and the number of each status."""
    models = ModelSettings()
    sources = {"sample": {"type": "sample"}, "sample-dem": {"type": "sample-dem"}}
    config = configure(
        directory / "config.yml", models.directory / models.default, directory / "cache", sources
    )
    server = ServerProcess(config, directory / "log").start().ready(180)
    counted, found = [], []
    begun = time.monotonic()
    arguments = (begun + seconds, counted)
    threads = [
        threading.Thread(target=client, args=(server.url, number, *arguments), daemon=True)
        for number in range(clients)
    ]
    try:
        for thread in threads:
            thread.start()
        while time.monotonic() < begun + seconds:
            time.sleep(EVERY_S)
            found.append((time.monotonic() - begun, resident(server.process.pid)))
        for thread in threads:
            thread.join()
    finally:
        server.stop()
    return found, {status: counted.count(status) for status in sorted(set(counted))}


def slope(found):
    """Return MB a minute over the second half."""
    at, megabytes = np.array(found[len(found) // 2 :]).T
    return float(np.polyfit(at / 60, megabytes, 1)[0])


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    with tempfile.TemporaryDirectory() as directory:
        found, answers = measure(Path(directory), seconds, clients)
    for at, megabytes in found[:: max(1, len(found) // 20)]:
        print(f"{at:6.0f} s  {megabytes:6.0f} MB")
    print(f"most {max(mb for _, mb in found):.0f} MB, slope {slope(found):+.1f} MB a minute")
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
