"""The outputs of jobs, as files: a directory for each try, which only its record makes real.

A directory whose name no record holds is nobody's: its writer or its job ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from samgis_process.errors import NoRoom, NoSuchResult

LIST = "outputs.json"
Kind = Literal["json", "text", "bytes"]


@dataclass(frozen=True, slots=True)
class OutputFile:
    """One output; `kind` says how to read it back."""

    media_type: str
    kind: Kind
    content: bytes


@dataclass(frozen=True, slots=True)
class KeptFile:
    """An output that was written."""

    media_type: str
    kind: Kind
    path: Path

    @property
    def content(self) -> bytes:
        """What was written; raises NoSuchResult where it is not there any more."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise _gone() from error


def _nobody_else(_name: str) -> None:
    pass


class OutputStore:
    """Outputs under one directory, by the name of the try that wrote them.

    Args:
        removed: told the name of each try whose outputs are nobody's from now on.
    """

    def __init__(self, directory: Path, removed: Callable[[str], None] = _nobody_else) -> None:
        self.directory = directory
        self._removed = removed

    def write(self, name: str, outputs: Mapping[str, OutputFile]) -> None:
        """Write the outputs of a try, whole and on disk when this returns.

        Raises:
            NoRoom: the disk is full; nothing is left of it.
        """
        directory = self.directory / name
        try:
            shutil.rmtree(directory, ignore_errors=True)  # of a try that was given back
            directory.mkdir(parents=True)
            listed = {}
            for number, (output, file) in enumerate(outputs.items()):
                _write(directory / str(number), file.content)
                listed[output] = {"media_type": file.media_type, "kind": file.kind}
            _write(directory / LIST, json.dumps(listed).encode())
        except OSError as error:
            shutil.rmtree(directory, ignore_errors=True)
            reason = error.strerror or type(error).__name__
            raise NoRoom(f"The results cannot be kept: {reason}. Try again later.") from error

    def find(self, name: str) -> dict[str, KeptFile]:
        """Return the outputs of a try, by their names.

        Raises:
            NoSuchResult: they are not there.
        """
        directory = self.directory / name
        try:
            listed = json.loads((directory / LIST).read_text(encoding="utf-8"))
            return {
                output: KeptFile(entry["media_type"], entry["kind"], directory / str(number))
                for number, (output, entry) in enumerate(listed.items())
            }
        except (OSError, ValueError) as error:
            raise _gone() from error

    def remove(self, name: str) -> None:
        """Remove what a try wrote, if anything."""
        shutil.rmtree(self.directory / name, ignore_errors=True)
        self._removed(name)

    def make_room(self, max_bytes: int) -> None:
        """Remove the oldest outputs until all together take at most `max_bytes`."""
        entries = sorted(self._entries())
        excess = sum(size for _, size, _ in entries) - max_bytes
        for _, size, name in entries:
            if excess <= 0:
                return
            self.remove(name)
            excess -= size

    def _entries(self) -> Iterator[tuple[float, int, str]]:
        """Yield (last change, bytes, name) of all outputs that are complete."""
        for name in self.names():
            directory = self.directory / name
            with contextlib.suppress(OSError):  # not complete, or removed just now
                changed = (directory / LIST).stat().st_mtime
                yield changed, sum(path.stat().st_size for path in directory.iterdir()), name

    def names(self) -> list[str]:
        """Return the names of all that was written."""
        with contextlib.suppress(OSError):
            return [path.name for path in self.directory.iterdir()]
        return []


def _gone() -> NoSuchResult:
    return NoSuchResult("The results are not there any more. Run the process again.")


def _write(path: Path, content: bytes) -> None:
    """Write a file that is on the disk before its record says so."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
