"""The lab's server as a client sees it, and as a process that can be killed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import lab
import requests
from server_process import free_port

LAB_SERVER = Path(lab.__file__).with_name("lab_server.py")


def post(server, process="alpha", prefer="respond-async", **inputs):
    return requests.post(
        f"{server}/processes/{process}/execution",
        json={"inputs": {"name": "x", **inputs}},
        headers={"Prefer": prefer},
        timeout=60,
    )


def made(server, process="alpha", **inputs):
    answer = post(server, process, **inputs)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def get(address):
    return requests.get(address, timeout=30)


def wait_for(location, *statuses, seconds=40):
    until = time.monotonic() + seconds
    while (info := get(location).json())["status"] not in statuses:
        assert time.monotonic() < until, info
        time.sleep(0.02)
    return info


def ended(location):
    return wait_for(location, "successful", "failed", "dismissed")


class LabServer:
    """The lab in a process of its own, which can be killed."""

    def __init__(self, directory, log="log", settings=None, descriptors=None, **limits):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        jobs = json.dumps({"lease_s": 1} | limits)
        self._arguments = [str(directory), str(self.port), jobs, json.dumps(settings or {})]
        limit = f'ulimit -n {descriptors} && exec "$@"'
        self._limited = ["sh", "-c", limit, "sh"] if descriptors else []
        self._log = directory / log
        self.start()

    def start(self):
        environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._limited, sys.executable, str(LAB_SERVER), *self._arguments],
                env=environ,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 30
        while True:
            try:
                return get(f"{self.url}/health")
            except requests.ConnectionError:
                assert time.monotonic() < until, self._log.read_text()
                time.sleep(0.05)

    def log(self):
        return self._log.read_text()

    def workers(self):
        """The numbers of its child processes that run Python's spawn."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                command = (path / "cmdline").read_bytes()
            except (OSError, ValueError, IndexError):
                continue
            if parent == self.process.pid and b"spawn_main" in command:
                found.append(int(path.name))
        return found

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(30)
