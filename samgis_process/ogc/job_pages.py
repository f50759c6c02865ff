"""Jobs on pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from samgis_process.ogc import query as queries
from samgis_process.ogc.jobs import STATES, Kept
from samgis_process.ogc.pages import Place, page, root_of
from samgis_process.ogc.result_pages import PICTURES
from samgis_process.ogc.service_pages import HOME

JOBS = Place("Jobs", "/jobs")
OPEN = ("accepted", "running")
_TIMES = ("created", "started", "finished", "updated")
_LIMITS = ("10", "50", "200", "1000")
_IN_FORM = ("status", "processID", "limit", "cursor")
_CHOICES = (
    ("", "Any"),
    (",".join(OPEN), "Not ended"),
    *((state, state.capitalize()) for state in STATES),
)


def list_page(request: Request, listed: Mapping[str, Any]) -> Response:
    """Return a list of jobs as a page."""
    query, jobs = request.query_params, [_shown(info) for info in listed["jobs"]]
    chosen = {
        "status": ",".join(query.getlist("status")),
        "processID": ",".join(query.getlist("processID")),
        "limit": query.get("limit", str(queries.DEFAULT_LIMIT)),
    }
    return page(
        request,
        "jobs.html",
        title="Jobs",
        trail=(HOME,),
        jobs=jobs,
        open=any(job["status"] in OPEN for job in jobs),
        links=listed["links"],
        chosen=chosen,
        choices=_with(_CHOICES, (chosen["status"], chosen["status"])),
        limits=sorted({*_LIMITS, chosen["limit"]}, key=int),
        kept=[pair for pair in query.multi_items() if pair[0] not in _IN_FORM],
        filtered=any(name in query for name in queries.FILTERS),
    )


def job_page(
    request: Request,
    info: Mapping[str, Any],
    problem: Mapping[str, Any] | None,
    outputs: Mapping[str, Kept],
    address: str,
) -> Response:
    """Return one job as a page, with what came of it."""
    return page(
        request,
        "job.html",
        title=f"Job {info['jobID']}",
        trail=(HOME, JOBS),
        job=_shown(info),
        open=info["status"] in OPEN,
        links=info["links"],
        problem=problem,
        address=address,
        outputs=[_output(name, kept, address, request) for name, kept in outputs.items()],
    )


def _with(choices: Iterable[tuple[str, str]], one: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the choices, and one more if its value is not among them."""
    return list((dict([one]) | dict(choices)).items())


def _shown(info: Mapping[str, Any]) -> dict[str, Any]:
    times = [(name, info[name]) for name in _TIMES if name in info]
    return {
        **info,
        "times": times,
        "moments": {name: _moment(text) for name, text in times},
        "duration": _duration(info),
        "page": next(one["href"] for one in info["links"] if one["rel"] == "alternate"),
    }


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"


def _duration(info: Mapping[str, Any]) -> str:
    """Return how long the work took, or has taken until the job's last sign of life."""
    if "started" not in info:
        return "not begun"
    end = datetime.fromisoformat(info.get("finished") or info["updated"])
    seconds = (end - datetime.fromisoformat(info["started"])).total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _output(name: str, kept: Kept, address: str, request: Request) -> dict[str, Any]:
    tail = f"results/{quote(name, safe='')}"
    job_id = address.rpartition("/")[2]
    return {
        "name": name,
        "media_type": kept.media_type,
        "href": f"{address}/{tail}",
        # By its path alone: the policy of pages lets pictures come from this very address only.
        "path": f"{root_of(request)}/jobs/{job_id}/{tail}",
        "is_picture": kept.media_type in PICTURES,
        "size": _size(kept),
    }


def _size(kept: Kept) -> str:
    try:
        size = kept.path.stat().st_size
    except OSError:
        return ""
    return f"{size} bytes" if size < 10_000 else f"{size / 1000:.0f} kB"
