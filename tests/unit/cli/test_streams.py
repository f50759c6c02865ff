"""Nothing but the answer comes out of a command."""

import subprocess
import sys

CODE = """
import os, sys
from samgis_process.cli.streams import only_ours
with only_ours():
    os.write(1, b"chatter of a library")
    os.write(2, b"more of it")
    print("answer")
    print("warning", file=sys.stderr)
os.write(1, b"after")
"""


def test_libraries_are_silent_and_python_is_not():
    run = [sys.executable, "-c", CODE]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "answer\nafter"
    assert done.stderr == "warning\n"
