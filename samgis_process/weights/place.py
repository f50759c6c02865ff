"""Put a directory in place at once, while no other process does.

A model's directory is either absent or whole: files are written beside it and the directory is
renamed into place. One process at a time works in a models directory; others wait for it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_WORK = ".building-"


@contextmanager
def alone_in(models_dir: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Keep other processes out; the lock of one that was killed is free at once.

    Args:
        waiting: is called if another one is at work.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(models_dir / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def replacing(directory: Path) -> Iterator[Path]:
    """Give an empty directory; if the block ends well, it takes the place of `directory`."""
    work = Path(tempfile.mkdtemp(dir=directory.parent, prefix=_WORK))
    try:
        yield work
        work.chmod(0o755)  # mkdtemp makes it for one user; a server may run as another
        _flush(work)
        discard(directory)
        work.rename(directory)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def discard(directory: Path) -> None:
    """Remove a directory so that no half of it is ever seen under its name."""
    if directory.exists():
        shutil.rmtree(directory.rename(directory.with_name(f"{_WORK}{directory.name}")))


def remove_leftovers(models_dir: Path) -> None:
    """Remove the work of processes that were killed; we are alone, so nobody is at it."""
    for work in models_dir.glob(f"{_WORK}*"):
        shutil.rmtree(work, ignore_errors=True)


def _flush(directory: Path) -> None:
    """Have the files on disk before their directory gets its name; power may fail."""
    for path in directory.iterdir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())
