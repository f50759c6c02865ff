"""Runs each example of docs/clients.md and writes beneath it what came of it.

`clients_page.py ADDRESS` does so with a server that `make serve-conformance` started.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "clients.md"
ADDRESS = "http://127.0.0.1:5000"
_EXAMPLE = re.compile(r"```(sh|python)\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")
_UUIDS = "5d1f0a3e-2c44-4b0e-9a37-{:012d}"


class Example(NamedTuple):
    """Code for people to copy, and what the page says that it prints."""

    language: str
    code: str
    output: str


def examples(text=None):
    """Return the examples of the page."""
    return [Example(*found) for found in _EXAMPLE.findall(text or PAGE.read_text())]


def run(example, address):
    """Return what an example prints, with the address of the page and stable names and times."""
    command = ["bash", "-euo", "pipefail"] if example.language == "sh" else [sys.executable]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "example")
        path.write_text(example.code.replace(ADDRESS, address))
        environ = os.environ | {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
        done = subprocess.run(
            [*command, path], cwd=folder, env=environ, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, (example.code, done.stdout, done.stderr)
    return settled(done.stdout.replace(address, ADDRESS).replace("\r\n", "\n"))


def has_qgis():
    """Return whether the system's Python finds QGIS."""
    command = ["/usr/bin/python3", "-c", "import qgis.core"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def settled(text):
    """Return a transcript without what no two runs share."""
    known = {}
    for uuid in (found[0] for found in _UUID.finditer(text)):
        known.setdefault(uuid, _UUIDS.format(len(known) + 1))
    for uuid, name in known.items():
        text = text.replace(uuid, name)
    return _MOMENT.sub("2026-03-01T12:00:00.000Z", text)


def main(address):
    """Write the page anew."""
    text = PAGE.read_text()
    for example in examples(text):
        before = f"{example.code}```\n\n```text\n{example.output}```"
        after = f"{example.code}```\n\n```text\n{run(example, address).rstrip()}\n```"
        text = text.replace(before, after)
    PAGE.write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
