"""The results of a job as an answer: what its run would have been answered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from samgis_process.errors import Fault, NoSuchResult
from samgis_process.ogc import encode
from samgis_process.ogc.errors import (
    JobDismissed,
    JobFailed,
    NoSuchOutput,
    NotAcceptable,
    ResultNotReady,
)
from samgis_process.ogc.files import file_response
from samgis_process.ogc.jobs import Jobs, Kept
from samgis_process.ogc.negotiation import HTML, JSON, best, is_json
from samgis_process.ogc.process import Output
from samgis_process.ogc.request import Shape
from samgis_process.ogc.wording import clipped, did_you_mean, shown

VARY = {"Vary": "Accept"}


def answer(
    jobs: Jobs[Any],
    job: Any,
    request: Request | None,
    accept: str | None,
    wanted: Sequence[str] | None = None,
) -> Response:
    """Return the results of a job in the shape that was asked for when it was made.

    Args:
        request: the GET, which may ask for a part of one output; None after a POST.
        wanted: the outputs to return; all that were asked for, where None.

    Raises:
        ResultNotReady: it is not done yet.
        JobFailed: it failed; the answer is its problem.
        JobDismissed: it was dismissed.
        NoSuchOutput: one that is wanted is not there.
        NotAcceptable: the one output is of no media type that the client takes.
    """
    kept = _chosen(jobs, job, wanted)
    shape: Shape | None = job.answer.get("response")
    if len(kept) == 1 and shape != "document":
        return _bare(next(iter(kept.values())), request, accept)
    outputs = {name: _output(one) for name, one in kept.items()}
    return _varying(encode.response(outputs, shape, accept))


def one_output(
    jobs: Jobs[Any], job: Any, request: Request, accept: str | None, name: str
) -> Response:
    """Return one output of a job, bare; raises as `answer` does."""
    return _bare(_chosen(jobs, job, [name])[name], request, accept)


def _chosen(jobs: Jobs[Any], job: Any, wanted: Sequence[str] | None) -> Mapping[str, Kept]:
    _require_success(job)
    kept = jobs.outputs(job)
    _require_outputs(wanted or (), list(kept))
    return kept if wanted is None else {name: kept[name] for name in wanted}


def _output(kept: Kept) -> Output:
    return encode.from_bytes(kept.media_type, kept.kind, kept.content)


def _bare(kept: Kept, request: Request | None, accept: str | None) -> Response:
    offers = [kept.media_type, *((JSON, HTML) if is_json(kept.media_type) else ())]
    chosen = best(accept, offers)
    if chosen is None:
        message = f"{shown(accept)} is not what this output is"
        raise NotAcceptable(Fault("Accept", message, kept.media_type))
    if request is None or chosen == HTML:
        return _varying(encode.response({"": _output(kept)}, "raw", accept))
    try:
        return file_response(request, kept.path, kept.media_type, VARY)
    except OSError as error:  # made room for, just now
        raise NoSuchResult("The results have just gone. Run the process again.") from error


def _varying(response: Response) -> Response:
    response.headers.add_vary_header("Accept")
    return response


def _require_success(job: Any) -> None:
    match job.status:
        case "successful":
            return
        case "failed":
            raise JobFailed(job.problem or {})
        case "dismissed":
            raise JobDismissed(f"The job {job.id} was dismissed; it has no results.")
        case status:
            raise ResultNotReady(
                f"The job {job.id} is {status}, {job.progress} % done ({job.message}). "
                "Ask again later."
            )


def _require_outputs(wanted: Sequence[str], there: Sequence[str]) -> None:
    faults = [
        Fault(
            clipped(name),
            "is not an output of this job",
            f"known: {', '.join(there)}",
            did_you_mean(name, there) or "Leave it out.",
        )
        for name in wanted
        if name not in there
    ]
    if faults:
        raise NoSuchOutput(*faults)
