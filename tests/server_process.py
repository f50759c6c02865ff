"""`samgis-process serve` in a process of its own, with the tiny model and a configuration."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests
import yaml

CONFIG = Path(__file__).parent.parent / "pygeoapi-config.yml"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configure(path, model_dir, cache, sources, **section):
    """Write the committed configuration with another section `samgis:`; the first is default."""
    document = yaml.safe_load(CONFIG.read_text())
    document["samgis"] = {
        "models": {"default": model_dir.name, "directory": str(model_dir.parent)},
        "cache": {"directory": str(cache)},
        "results": {"directory": str(cache / "data")},
        "default_source": next(iter(sources)),
        "sources": sources,
        **section,
    }
    path.write_text(yaml.safe_dump(document))
    return path


class ServerProcess:
    """Started by `start`, which does not wait; `ready` does."""

    def __init__(self, config, log, port=None, script=None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._config = config
        self._program = [str(script)] if script else ["-m", "samgis_process", "serve"]
        self.process = None

    def start(self):
        environ = {k: v for k, v in os.environ.items() if not k.startswith("SAMGIS_")}
        environ |= {"PYGEOAPI_CONFIG": str(self._config), "PORT": str(self.port)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._program],
                env=environ,
                stdout=log,
                stderr=log,
            )
        return self

    def ready(self, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                requests.get(f"{self.url}/health", timeout=5)
            except requests.ConnectionError:
                time.sleep(0.05)
            else:
                return self
        self.stop()
        raise AssertionError(self.log.read_text())

    def stop(self, number=signal.SIGINT, seconds=30):
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)

    def segment(self, inputs, **options):
        address = f"{self.url}/processes/segment/execution"
        return requests.post(address, json={"inputs": inputs}, timeout=60, **options)
