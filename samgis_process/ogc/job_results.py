"""The results of a job as an answer: what its run would have been answered with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from samgis_process.errors import Fault
from samgis_process.ogc import encode
from samgis_process.ogc.errors import (
    JobDismissed,
    JobFailed,
    NoSuchOutput,
    NotAcceptable,
    ResultNotReady,
)
from samgis_process.ogc.jobs import Jobs
from samgis_process.ogc.negotiation import HTML, JSON, is_json, quality
from samgis_process.ogc.process import Output
from samgis_process.ogc.request import Shape
from samgis_process.ogc.wording import clipped, did_you_mean, shown


def answer(
    jobs: Jobs[Any], job: Any, accept: str | None, wanted: Sequence[str] | None = None
) -> Response:
    """Return the results of a job in the shape that was asked for when it was made.

    Args:
        wanted: the outputs to return; all that were asked for, where None.

    Raises:
        ResultNotReady: it is not done yet.
        JobFailed: it failed; the answer is its problem.
        JobDismissed: it was dismissed.
        NoSuchOutput: one that is wanted is not there.
        NotAcceptable: the one output is of no media type that the client takes.
    """
    _require_success(job)
    _require_outputs(wanted or (), list(jobs.media_types(job)))
    kept = jobs.outputs(job, wanted)
    outputs = {
        name: encode.from_bytes(one.media_type, one.kind, one.content)
        for name, one in kept.items()
    }
    shape: Shape | None = job.answer.get("response")
    if len(outputs) == 1 and shape != "document":
        _require_acceptable(next(iter(outputs.values())), accept)
    return _varying(encode.response(outputs, shape, accept))


def one_output(jobs: Jobs[Any], job: Any, name: str, accept: str | None) -> Response:
    """Return one output of a job, bare; raises as `answer` does."""
    _require_success(job)
    _require_outputs([name], list(jobs.media_types(job)))
    (kept,) = jobs.outputs(job, [name]).values()
    output = encode.from_bytes(kept.media_type, kept.kind, kept.content)
    _require_acceptable(output, accept)
    return _varying(encode.response({name: output}, "raw", accept))


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


def _require_acceptable(output: Output, accept: str | None) -> None:
    also = (JSON, HTML) if is_json(output.media_type) else ()
    if not any(quality(accept, offered) for offered in (output.media_type, *also)):
        message = f"{shown(accept)} is not what this output is"
        raise NotAcceptable(Fault("Accept", message, output.media_type))
