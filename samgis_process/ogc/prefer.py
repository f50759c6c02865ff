"""The Prefer header (RFC 7240), and the way of execution that follows from it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from samgis_process.ogc.delivery import Preferred

# A comma or semicolon inside a quoted string does not separate. Each character is looked at once:
# headers come from anybody, and are read where all requests wait.
_ELEMENT = re.compile(r'(?:"[^"]*"|[^,"])+')
_FIRST = re.compile(r'(?:"[^"]*"|[^;"])*')

Mode = Literal["sync", "async"]


def preferences(headers: Iterable[str]) -> dict[str, str]:
    """Return preferences by lower-case name; of one that repeats, the first counts.

    Their parameters, after a semicolon, are left out: none of ours has any.
    """
    found: dict[str, str] = {}
    for element in _ELEMENT.findall(",".join(headers)):
        first = _FIRST.match(element)
        name, _, value = (first[0] if first else "").partition("=")
        if name.strip():
            found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def wait_s(preferred: Mapping[str, str]) -> int | None:
    """Return the seconds of `wait`; None where it is not there, or no whole number."""
    text = preferred.get("wait", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def return_(preferred: Mapping[str, str]) -> Preferred | None:
    """Return the preference `return`, where it is one of those that RFC 7240 knows."""
    match preferred.get("return"):
        case "minimal":
            return "minimal"
        case "representation":
            return "representation"
        case _:
            return None


def execution_mode(job_control: Collection[str], preferred: Mapping[str, str]) -> Mode:
    """Return how to run a process with these `jobControlOptions`.

    What is to be waited for only so long may become a job, and so starts as one.

    Source: 18-062r2, /req/core/process-execute-default-execution-mode and -auto-execution-mode.
    """
    if "async-execute" not in job_control:
        return "sync"
    if "sync-execute" not in job_control or "respond-async" in preferred:
        return "async"
    return "sync" if wait_s(preferred) is None else "async"
