"""Conformance classes in words for people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_STANDARD = re.compile(r".*/spec/(?P<standard>[^/]+)/[^/]+/(?:conf|req)/(?P<name>.+)")
_STANDARDS = {
    "ogcapi-common-1": "OGC API - Common, part 1",
    "ogcapi-common-2": "OGC API - Common, part 2",
    "ogcapi-features-1": "OGC API - Features, part 1",
    "ogcapi-processes-1": "OGC API - Processes, part 1",
}
_WORDS = {
    "core": ("Core", "Processes are listed, described and run."),
    "ogc-process-description": ("Process descriptions", "In the standard's own encoding."),
    "json": ("JSON", "Answers in JSON."),
    "html": ("HTML", "Answers as pages."),
    "oas30": ("OpenAPI 3.0", "The API describes itself."),
    "job-list": ("Job list", "Jobs are listed, and filtered."),
    "dismiss": ("Dismiss", "Jobs are stopped, and their results removed."),
    "callback": ("Callback", "Who subscribes to a job is called about it."),
    "landing-page": ("Landing page", "A first page leads to all others."),
}


class ConformanceClass(NamedTuple):
    """One class."""

    name: str
    words: str
    uri: str


def by_standard(uris: Iterable[str]) -> list[tuple[str, list[ConformanceClass]]]:
    """Return the classes of each standard, under its name."""
    groups: dict[str, list[ConformanceClass]] = {}
    for uri in uris:
        found = _STANDARD.fullmatch(uri)
        standard, name = found.group("standard", "name") if found else ("Others", uri)
        ours = standard == "ogcapi-processes-1"
        title, words = _WORDS.get(name, (_titled(name), ""))
        one = ConformanceClass(title, words if ours or name != "core" else "", uri)
        groups.setdefault(_STANDARDS.get(standard, standard), []).append(one)
    return sorted(groups.items(), key=lambda group: "Processes" not in group[0])


def _titled(name: str) -> str:
    text = name.replace("-", " ").replace("/", ": ")
    return text[:1].upper() + text[1:]
