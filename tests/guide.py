"""Runs the code of a page of the guide, in its order and in one folder.

Blocks of `sh` and `python` are run. A block of `text` right behind one is what it prints. Whatever
is shown in another language (`console`, `yaml`, ...) is not run here.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from clients_page import ADDRESS, settled

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"```(sh|python)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


class Block(NamedTuple):
    """Code for people to copy, and what the page says that it prints, if it says so."""

    language: str
    code: str
    output: str | None


def blocks(page):
    """Return the blocks of a page below docs/."""
    return [Block(lang, code, out or None) for lang, code, out in _BLOCK.findall(_text(page))]


def _text(page):
    return (DOCS / page).read_text(encoding="utf-8")


def run(block, folder, environ, address=ADDRESS):
    """Return what a block prints, with the address of the page and stable names and times."""
    command = ["bash", "-euo", "pipefail"] if block.language == "sh" else [sys.executable]
    path = Path(folder, ".block")
    path.write_text(block.code.replace(ADDRESS, address), encoding="utf-8")
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [*command, path],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ, "PATH": tools},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, (block.code, done.stdout)
    return settled(done.stdout.replace(address, ADDRESS).replace("\r\n", "\n"))
