"""The outputs of jobs, as files: a directory for each try, which only its record makes real.

A directory whose name no record holds is nobody's: its writer or its job ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
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


class OutputStore:
    """Outputs under one directory, by the name of the try that wrote them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

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

    def listed(self, name: str) -> dict[str, str]:
        """Return the media types of the outputs that were written, by their names.

        Raises:
            NoSuchResult: they are not there.
        """
        return {output: entry["media_type"] for output, entry in self._list(name).items()}

    def read(self, name: str, wanted: Iterable[str] | None = None) -> dict[str, OutputFile]:
        """Return the outputs of a try, or those that are wanted.

        Raises:
            NoSuchResult: they are not there.
        """
        listed = self._list(name)
        numbers = {output: number for number, output in enumerate(listed)}
        chosen = list(listed) if wanted is None else list(wanted)
        try:
            return {
                output: OutputFile(
                    content=(self.directory / name / str(numbers[output])).read_bytes(),
                    **listed[output],  # type: ignore[arg-type]  # as written above
                )
                for output in chosen
            }
        except (OSError, KeyError, TypeError) as error:
            raise _gone() from error

    def file(self, name: str, output: str) -> tuple[Path, str]:
        """Return the file of one output, and its media type.

        Raises:
            NoSuchResult: it is not there.
        """
        listed = self._list(name)
        if output not in listed:
            raise _gone()
        return self.directory / name / str(list(listed).index(output)), listed[output][
            "media_type"
        ]

    def remove(self, name: str) -> None:
        """Remove what a try wrote, if anything."""
        shutil.rmtree(self.directory / name, ignore_errors=True)

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

    def _list(self, name: str) -> dict[str, dict[str, str]]:
        try:
            found: dict[str, dict[str, str]] = json.loads(
                (self.directory / name / LIST).read_text(encoding="utf-8")
            )
        except (OSError, ValueError) as error:
            raise _gone() from error
        return found


def _gone() -> NoSuchResult:
    return NoSuchResult("The results are not there any more. Run the process again.")


def _write(path: Path, content: bytes) -> None:
    """Write a file that is on the disk before its record says so."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
