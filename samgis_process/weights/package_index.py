"""Find a package's source archive on the index that pip or uv is configured with.

The simple repository API, PEP 503 (HTML) and PEP 691 (JSON). Which index that is, pip is asked:
it knows its files, its variables and its default. Where pip is not installed, the copy that
Python carries for `ensurepip` answers.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import requests

INDEX_VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
EXTRA_VARIABLES = ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
CERTIFICATE_VARIABLES = ("REQUESTS_CA_BUNDLE", "PIP_CERT", "SSL_CERT_FILE", "CURL_CA_BUNDLE")

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
TIMEOUT_S = (5, 30)  # to connect, between bytes
MAX_PAGE_BYTES = 32 * 2**20

# Printed by pip itself, so that no registry's address stands in our code.
_DEFAULT_INDEX = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"


class Link(NamedTuple):
    """A file on a project's page; `sha256` is empty where the page does not tell."""

    url: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])


def index_urls(environ: Mapping[str, str]) -> Iterator[str]:
    """Give the indexes to look at: the environment's, else pip's, then the extra ones.

    Lazily, for asking pip takes half a second.
    """
    main = next((environ[name] for name in INDEX_VARIABLES if environ.get(name)), "")
    if main:
        yield _named_index(main)
    for name in EXTRA_VARIABLES:
        yield from map(_named_index, environ.get(name, "").split())
    configured = pip_configuration(environ)
    if not main:
        yield configured.get("index-url") or default_index(environ)
    yield from configured.get("extra-index-url", "").split()


def pip_configuration(environ: Mapping[str, str]) -> dict[str, str]:
    """Return pip's options by name; none without pip."""
    found: dict[str, str] = {}
    # A line reads global.index-url='...'. They come sorted: the later section counts more, but
    # `:env:`, which comes first, counts most.
    lines = run_pip(environ, "config", "list").splitlines()
    for line in sorted(lines, key=lambda line: line.startswith(":env:")):
        key, _, value = line.partition("=")
        with contextlib.suppress(ValueError, SyntaxError):
            found[key.rpartition(".")[2]] = str(ast.literal_eval(value))
    return found


def default_index(environ: Mapping[str, str]) -> str:
    """Return the index that an unconfigured pip uses, empty where there is no pip."""
    command = [sys.executable, "-c", _DEFAULT_INDEX]
    wheel = "" if _pip_is_installed() else _bundled_pip()
    return _output(command, {**environ, "PYTHONPATH": wheel} if wheel else environ).strip()


def run_pip(environ: Mapping[str, str], *arguments: str, timeout_s: float = 60) -> str:
    """Return what pip prints, nothing where it fails or does not exist."""
    pip = ["-m", "pip"] if _pip_is_installed() else [str(Path(_bundled_pip()) / "pip")]
    return _output([sys.executable, *pip, *arguments], environ, timeout_s)


def session(environ: Mapping[str, str]) -> requests.Session:
    """Return an HTTP session that trusts the certificates pip would trust."""
    made = requests.Session()
    bundle = next((environ[name] for name in CERTIFICATE_VARIABLES if environ.get(name)), "")
    if bundle:
        made.verify = bundle
    return made


def project_links(http: requests.Session, index: str, package: str) -> list[Link]:
    """Return the files that an index names for a package; none if it does not have it.

    Raises:
        requests.RequestException: no answer, or an answer that is an error other than 404.
        OSError: a local index cannot be read.
        ValueError: the page is not to be understood.
    """
    page = f"{index.rstrip('/')}/{normalised(package)}/"
    if urlsplit(page).scheme == "file":
        local = local_path(page)
        file = local / "index.html" if local.is_dir() else local
        return html_links(file.read_text("utf-8"), page) if file.is_file() else []
    answer = http.get(page, headers={"Accept": ACCEPT}, timeout=TIMEOUT_S, stream=True)
    with answer:
        if answer.status_code == requests.codes.not_found:
            return []
        answer.raise_for_status()
        text = _body(answer).decode("utf-8", "replace")
        kind = answer.headers.get("Content-Type", "")
        return json_links(text, answer.url) if "json" in kind else html_links(text, answer.url)


def html_links(text: str, base: str) -> list[Link]:
    """Return the anchors of a project's page; relative ones count from `base`."""
    parser = _Anchors()
    parser.feed(text)
    base = urljoin(base, parser.base)
    links = (urldefrag(urljoin(base, href)) for href in parser.hrefs)
    return [Link(url, _sha256(fragment)) for url, fragment in links]


def json_links(text: str, base: str) -> list[Link]:
    """Return the files of a project's page in JSON."""
    files = json.loads(text)["files"]
    return [Link(urljoin(base, f["url"]), f.get("hashes", {}).get("sha256", "")) for f in files]


def normalised(name: str) -> str:
    """Return a package's name as an index spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def local_path(url: str) -> Path:
    """Return the path of a file:// address."""
    return Path(url2pathname(urlsplit(url).path))


class _Anchors(HTMLParser):
    """Collects the `href` of every anchor, and that of `base`."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and href:
            self.hrefs.append(href)
        elif tag == "base":
            self.base = href


def _body(answer: requests.Response) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(2**16):
        body += chunk
        if len(body) > MAX_PAGE_BYTES:
            raise ValueError("its page is longer than a project's page can be")
    return bytes(body)


def _sha256(fragment: str) -> str:
    found = re.search(r"sha256=([0-9a-f]{64})", fragment)
    return found[1] if found else ""


def _named_index(value: str) -> str:
    """Return the address in uv's `name=address`, or the address as it is."""
    return re.sub(r"^[\w.-]+=(?=\w+://)", "", value)


def _pip_is_installed() -> bool:
    return importlib.util.find_spec("pip") is not None


def _bundled_pip() -> str:
    """Return the wheel of pip that Python brings for `ensurepip`; it runs without installing."""
    spec = importlib.util.find_spec("ensurepip")
    home = Path(spec.origin).parent if spec and spec.origin else Path(os.devnull)
    return str(next(iter(sorted(home.glob("_bundled/pip-*.whl"))), ""))


def _output(command: list[str], environ: Mapping[str, str], timeout_s: float = 60) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # this Python, with arguments of our own
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
            timeout=timeout_s,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
