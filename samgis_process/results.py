"""Files that answers link to: kept for a time, bounded in bytes, whole or not there.

A result is a directory named by a random id: its files and a list of them. Many threads and
processes may use one store.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from samgis_process.errors import NoRoom, NoSuchResult

LOGGER = logging.getLogger(__name__)

LIST = "result.json"
ABANDONED_S = 3600  # what is being written or removed takes seconds; older, its process was ended
LOOK_S = 600  # between looks for what has expired
SPARE_S = 86_400  # for a job to end, and to be removed with its files
GRACE_S = 60  # for who began to read just before
BLOCK = 4096  # bytes that the smallest file takes on a disk
KEEP = 0.95  # share of the limit that is left after making room, so that it is rarely made


@dataclass(frozen=True, slots=True)
class File:
    """A file of a result."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Ticket:
    """The name that a result will have, how long it will be kept, and for whom.

    Attributes:
        spare_s: seconds for which its files may be there after that.
    """

    id: str
    expires: datetime
    owner: str
    spare_s: float = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is there."""

    path: Path
    media_type: str
    expires: datetime


class _Entry(NamedTuple):
    expires: float  # seconds since the epoch
    size: int
    path: Path


class _Listed(NamedTuple):
    expires: datetime
    owner: str
    files: dict[str, str]  # media types by name


class ResultStore:
    """Results under one directory.

    Args:
        keep_s: seconds for which a result is kept, unless newer ones need its room.
        max_bytes: of all results together.
        clock: seconds since the epoch.
        job_keep_s: seconds for which a job is kept after its end; results of its run go with it.
    """

    def __init__(
        self,
        directory: Path,
        keep_s: float,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
        job_keep_s: float | None = None,
    ) -> None:
        self.directory = directory
        self.keep_s = keep_s
        self.max_bytes = max_bytes
        self._clock = clock
        self._job_keep_s = keep_s if job_keep_s is None else job_keep_s
        self._unchecked = 0  # bytes written since the last look
        self._looked: float | None = None
        self._lock = threading.Lock()

    def ticket(self, owner: str = "", attempt: str = "") -> Ticket:
        """Return a name for a result to come, which only `owner` will find.

        Args:
            attempt: the try of a job whose result it is: it is there until `remove_of` the same.
        """
        keep_s = self._job_keep_s if attempt else self.keep_s
        until = datetime.fromtimestamp(self._clock(), UTC) + timedelta(seconds=keep_s)
        name, spare_s = (_of(attempt), SPARE_S) if attempt else (str(uuid.uuid4()), 0)
        return Ticket(name, until.replace(microsecond=0), owner, spare_s)

    def remove_of(self, attempt: str) -> None:
        """Remove the result of a try of a job, if there is one."""
        _remove(self.directory / _of(attempt))

    def keep(self, ticket: Ticket, files: Mapping[str, File]) -> None:
        """Keep the files of a result, by name, under the ticket's id.

        Raises:
            NoRoom: the disk is full, or the result is larger than all may be together.
        """
        size = sum(_on_disk(len(file.content)) for file in files.values()) + BLOCK
        if size > self.max_bytes:
            raise NoRoom(
                f"The result takes {size} bytes, of the {self.max_bytes} that all results may "
                "(results.max_bytes). Ask for a smaller window or fewer layers."
            )
        self._make_room(size)
        temporary = self.directory / f".{ticket.id}.{secrets.token_hex(4)}.tmp"
        try:
            _write(temporary, ticket, files)
            _remove(self.directory / ticket.id)  # of a try that was given back
            temporary.rename(self.directory / ticket.id)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            reason = error.strerror or type(error).__name__
            raise NoRoom(
                f"The result cannot be kept: {reason}. Try again later, or ask for one file "
                "instead of links."
            ) from error

    def find(self, result_id: str, name: str, owner: str = "") -> Found:
        """Return a file of a result of `owner`.

        Raises:
            NoSuchResult: it is not there, or not any more, or it is somebody else's.
        """
        self._make_room(0)
        directory = self.directory / result_id
        # Only names that we gave can lead anywhere: an id, and what is in its list.
        listed = _listed(directory) if _is_id(result_id) else None
        if listed is None or listed.owner != owner:
            raise self._none(f"There is no result {result_id[:80]!r}.")
        expires, _, files = listed
        if expires.timestamp() <= self._clock():
            raise self._none(
                f"The result {result_id} was kept until {expires:%Y-%m-%dT%H:%M:%SZ}."
            )
        if name not in files:
            offer = ", ".join(files)
            raise NoSuchResult(f"There is no file {name[:80]!r} in this result, only: {offer}.")
        return Found(directory / name, files[name], expires)

    def sweep(self) -> None:
        """Remove what has expired, and what a process left that was ended while writing."""
        self._make_room(0, now=True)

    def _none(self, what: str) -> NoSuchResult:
        return NoSuchResult(
            f"{what} Results are kept for {_in_words(self.keep_s)}; run the process again."
        )

    def _make_room(self, needed: int, *, now: bool = False) -> None:
        """Look at the directory now and then: after some time, or some bytes."""
        moment = self._clock()
        with self._lock:
            self._unchecked += needed
            recent = self._looked is not None and moment - self._looked < LOOK_S
            if recent and not now and self._unchecked < (1 - KEEP) * self.max_bytes:
                return
            self._looked, self._unchecked = moment, needed
        self._remove_abandoned()
        excess = needed - max(KEEP * self.max_bytes, needed)
        entries = sorted(self._entries())
        excess += sum(entry.size for entry in entries)
        for entry in entries:
            if excess <= 0 and entry.expires + GRACE_S > moment:
                return
            _remove(entry.path)
            excess -= entry.size

    def _entries(self) -> Iterator[_Entry]:
        for path in _children(self.directory):
            listed = _listed(path) if _is_id(path.name) else None
            if listed is None:
                continue
            with contextlib.suppress(OSError):  # another process removed it just now
                size = sum(_on_disk(file.stat().st_size) for file in path.iterdir())
                yield _Entry(listed.expires.timestamp(), size, path)

    def _remove_abandoned(self) -> None:
        for path in _children(self.directory):
            with contextlib.suppress(OSError):
                age = time.time() - path.stat().st_mtime
                if path.name.endswith(".tmp") and age > ABANDONED_S:
                    shutil.rmtree(path, ignore_errors=True)


def _in_words(seconds: float) -> str:
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = f"{seconds / length:.3g}"
            return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
    return f"{seconds:.3g} seconds"


def _children(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:  # nothing was kept so far
        return []


def _on_disk(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _of(attempt: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, attempt))


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _write(directory: Path, ticket: Ticket, files: Mapping[str, File]) -> None:
    directory.mkdir(parents=True)
    for name, file in files.items():
        (directory / name).write_bytes(file.content)
    listed = {name: file.media_type for name, file in files.items()}
    gone = ticket.expires + timedelta(seconds=ticket.spare_s)
    head = {"expires": gone.isoformat(), "owner": ticket.owner}
    text = json.dumps(head | {"files": listed})
    (directory / LIST).write_text(text, encoding="utf-8")


def _listed(directory: Path) -> _Listed | None:
    """Return what is written of a result, or None."""
    try:
        found = json.loads((directory / LIST).read_text(encoding="utf-8"))
        expires = datetime.fromisoformat(found["expires"])
        return _Listed(expires, found.get("owner", ""), found["files"])
    except (OSError, ValueError, KeyError):
        return None


def _remove(path: Path) -> None:
    """Remove a result at once for all who look, then its files."""
    gone = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.rename(gone)
    except OSError:  # another process was faster
        return
    shutil.rmtree(gone, ignore_errors=True)
