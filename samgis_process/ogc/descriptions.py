"""The list of processes and their descriptions, with links."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from samgis_process.ogc import query as queries
from samgis_process.ogc.errors import NoSuchProcess
from samgis_process.ogc.names import RELATION
from samgis_process.ogc.negotiation import HTML, JSON
from samgis_process.ogc.process import Process
from samgis_process.ogc.request import transmission
from samgis_process.ogc.schemas import for_people
from samgis_process.ogc.wording import did_you_mean, shown

_DETAILS = ("inputs", "outputs", "example")


class Descriptions:
    """Descriptions of processes, taken once; what is handed out may be changed freely at the top.

    `base` is the address of the server without a slash at its end, as the client knows it.
    """

    def __init__(
        self, processes: Iterable[Process], *, jobs: bool, references: bool = False
    ) -> None:
        described = (_for_people(dict(process.description)) for process in processes)
        self._descriptions = {
            str(one["id"]): _as_here(one, jobs=jobs, references=references) for one in described
        }
        self._summaries = {
            name: {key: value for key, value in one.items() if key not in _DETAILS}
            for name, one in self._descriptions.items()
        }

    def describe(self, process_id: str, base: str) -> dict[str, Any]:
        """Return the description of one process.

        Raises:
            NoSuchProcess: there is none of this name.
        """
        if process_id not in self._descriptions:
            raise no_such_process(process_id, self._descriptions)
        return {**self._descriptions[process_id], "links": process_links(process_id, base)}

    def summaries(self, query: Mapping[str, str], base: str) -> dict[str, Any]:
        """Return the list of processes, or the part of it that the query asks for.

        Raises:
            InvalidParameter: `limit` or `offset` is no number, or out of range.
        """
        limit = queries.limit(query)
        offset = queries.whole_number(query, "offset", 0, 0, None)
        names = list(self._summaries)[offset : offset + limit]
        links = _links(f"{base}/processes", "The processes", query)
        if offset + limit < len(self._summaries):
            further = urlencode({"limit": limit, "offset": offset + limit})
            links.append(link("next", JSON, f"{base}/processes?{further}", "More processes"))
        if offset > 0:
            before = urlencode({"limit": limit, "offset": max(0, offset - limit)})
            links.append(link("prev", JSON, f"{base}/processes?{before}", "Those before"))
        return {
            "processes": [
                {**self._summaries[name], "links": process_links(name, base)} for name in names
            ],
            "links": links,
        }


def _for_people(description: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a description, its schemas as they are to be read."""
    copied = copy.deepcopy(description)
    for each in (*copied.get("inputs", {}).values(), *copied.get("outputs", {}).values()):
        if "schema" in each:
            each["schema"] = for_people(each["schema"])
    return copied


def job_control(description: Mapping[str, Any], *, jobs: bool) -> list[str]:
    """Return how a process can be run here; where no jobs are kept, only while one waits."""
    options: list[str] = list(description.get("jobControlOptions", ["sync-execute"]))
    return options if jobs else ["sync-execute"]


def _as_here(description: dict[str, Any], *, jobs: bool, references: bool) -> dict[str, Any]:
    return {
        **description,
        "jobControlOptions": job_control(description, jobs=jobs),
        "outputTransmission": transmission(description, references=references),
    }


def no_such_process(process_id: str, known: Iterable[str]) -> NoSuchProcess:
    """Return the error for a name that no process has."""
    names = list(known)
    hint = did_you_mean(process_id, names) or f"There are: {', '.join(names)}."
    return NoSuchProcess(f"There is no process {shown(process_id)}. {hint}")


def process_links(process_id: str, base: str) -> list[dict[str, str]]:
    """Return the links of a description."""
    address = f"{base}/processes/{quote(process_id, safe='')}"
    execution = link(f"{RELATION}execute", JSON, f"{address}/execution", "Run this process")
    return [*_links(address, "This process"), execution]


def _links(
    address: str, title: str, query: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    kept = {key: value for key, value in (query or {}).items() if key in {"limit", "offset"}}
    return [
        link(rel, media_type, f"{address}?{urlencode({**kept, 'f': f})}", f"{title} as {words}")
        for rel, media_type, f, words in (
            ("self", JSON, "json", "JSON"),
            ("alternate", HTML, "html", "a page"),
        )
    ]


def link(rel: str, media_type: str, href: str, title: str) -> dict[str, str]:
    """Return a link as the standard writes it."""
    return {"rel": rel, "type": media_type, "href": href, "title": title, "hreflang": "en"}
