"""Standard output for answers alone: some libraries write there, or past Python to the error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_ours() -> Iterator[None]:
    """Let Python write to both streams, and nothing that writes to the descriptors themselves."""
    if not _are_the_process_own():
        yield
        return
    streams = sys.stdout, sys.stderr
    for stream in streams:
        stream.flush()
    kept = [os.dup(number) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    ours = [open(number, "w", buffering=1, encoding="utf-8") for number in kept]  # noqa: PTH123, SIM115
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.stdout, sys.stderr = ours
        yield
    finally:
        sys.stdout, sys.stderr = streams
        for number, stream in zip((1, 2), ours, strict=True):
            stream.flush()
            os.dup2(stream.fileno(), number)
            stream.close()
        os.close(nowhere)


def _are_the_process_own() -> bool:
    try:
        return (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)
    except (AttributeError, OSError, ValueError):  # captured, or closed
        return False
