"""A job as the standard writes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.datastructures import QueryParams

from samgis_process.ogc import query as queries
from samgis_process.ogc.descriptions import link
from samgis_process.ogc.jobs import Job
from samgis_process.ogc.names import RELATION
from samgis_process.ogc.negotiation import HTML, JSON

_TIMES = ("created", "started", "finished", "updated")


def status_info(job: Job, base: str) -> dict[str, Any]:
    """Return statusInfo; what is not known is left out, as its schema wants it."""
    times = {name: _rfc3339(getattr(job, name)) for name in _TIMES}
    return {
        "jobID": job.id,
        "processID": job.process_id,
        "type": "process",
        "status": str(job.status),
        "message": job.message,
        "progress": job.progress,
        **{name: text for name, text in times.items() if text},
        "links": _links(job, base),
    }


def job_list(jobs: list[Any], query: QueryParams, base: str) -> dict[str, Any]:
    """Return the list of jobs, newest first; one more than asked for means that there are more."""
    limit, address = queries.limit(query), f"{base}/jobs"
    newer, more = query.get("cursor", "").startswith("-"), len(jobs) > limit
    shown = jobs[-limit:] if newer else jobs[:limit]
    links = [
        link("self", JSON, _with(address, query, f="json"), "These jobs"),
        link("alternate", HTML, _with(address, query, f="html"), "These jobs as a page"),
    ]
    if shown and (newer or more):
        mark = queries.cursor(shown[-1].created, shown[-1].id)
        links.append(link("next", JSON, _with(address, query, cursor=mark), "Older jobs"))
    if shown and (more if newer else "cursor" in query):
        mark = queries.cursor(shown[0].created, shown[0].id, newer=True)
        links.append(link("prev", JSON, _with(address, query, cursor=mark), "Newer jobs"))
    return {"jobs": [status_info(job, base) for job in shown], "links": links}


def address_of(job: Job, base: str) -> str:
    """Return the address of a job."""
    return f"{base}/jobs/{quote(job.id, safe='')}"


def _links(job: Job, base: str) -> list[dict[str, str]]:
    address = address_of(job, base)
    links = [
        link("self", JSON, address, "This job"),
        link("alternate", HTML, f"{address}?f=html", "This job as a page"),
        link("monitor", JSON, address, "How the job is getting on"),
        link("up", JSON, f"{base}/jobs", "All jobs"),
    ]
    if job.status == "successful":
        links.append(link(f"{RELATION}results", JSON, f"{address}/results", "The results"))
    if job.status == "failed":
        links.append(link(f"{RELATION}exceptions", JSON, f"{address}/results", "What went wrong"))
    return links


def _with(address: str, query: QueryParams, **changes: str) -> str:
    """Return the address of a list with the same filters."""
    kept = [(key, value) for key, value in query.multi_items() if key in {*queries.FILTERS, "f"}]
    cursor = [("cursor", query["cursor"])] if "cursor" in query and "cursor" not in changes else []
    left = [pair for pair in (*kept, *cursor) if pair[0] not in changes]
    return f"{address}?{QueryParams([*left, *changes.items()])}"


def _rfc3339(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
