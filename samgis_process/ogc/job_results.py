"""The results of a job as an answer: what its run would have been answered with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from samgis_process.errors import Fault, NoSuchResult
from samgis_process.ogc import encode
from samgis_process.ogc.delivery import Delivery, Reference, suffix
from samgis_process.ogc.errors import (
    JobDismissed,
    JobFailed,
    NoSuchOutput,
    NotAcceptable,
    ResultNotReady,
)
from samgis_process.ogc.files import file_response
from samgis_process.ogc.job_status import address_of
from samgis_process.ogc.jobs import Jobs, Kept
from samgis_process.ogc.negotiation import (
    HTML,
    JSON,
    is_json,
    is_readable,
    is_wanted_as_page,
    quality,
)
from samgis_process.ogc.process import Output
from samgis_process.ogc.wording import clipped, did_you_mean, shown

# An output never changes, but it may be dismissed, and an address may mean a page.
_FRESH = {"Cache-Control": "private, no-cache", "Vary": "Accept"}


def answer(
    jobs: Jobs[Any], job: Any, accept: str | None, base: str, wanted: Sequence[str] | None = None
) -> Response:
    """Return the results of a job in the shape that was asked for when it was made.

    Args:
        base: the server's address.
        wanted: the outputs to return; all that were asked for, where None.

    Raises:
        ResultNotReady: it is not done yet.
        JobFailed: it failed; the answer is its problem.
        JobDismissed: it was dismissed.
        NoSuchOutput: one that is wanted is not there.
        NotAcceptable: the one output is of no media type that the client takes.
    """
    delivered, delivery = results(jobs, job, base, wanted), Delivery.of(job.answer)
    one = next(iter(delivered.values()), None)
    several = delivery.several if wanted is None else len(wanted) > 1
    if not several and delivery.shape != "document" and isinstance(one, Output):
        _require_acceptable(one.media_type, accept)
    response = _varying(encode.response(delivered, delivery.shape, several=several))
    if applied := delivery.applied(delivered):
        response.headers["Preference-Applied"] = applied
    return response


def results(
    jobs: Jobs[Any], job: Any, base: str, wanted: Sequence[str] | None = None
) -> encode.Delivered:
    """Return the outputs of a job, each as a value or by reference; raises as `answer` does."""
    _require_success(job)
    kept, delivery = jobs.outputs(job), Delivery.of(job.answer)
    names = list(kept) if wanted is None else list(wanted)
    _require_outputs(names, list(kept))

    def one(name: str) -> Output | Reference:
        found = kept[name]
        if delivery.by_reference(name, found.path.stat().st_size):
            return Reference(found.media_type, _address(job, name, found.media_type, base))
        return _output(found)

    try:
        return {name: one(name) for name in names}
    except OSError as error:
        raise _just_gone() from error


def _output(kept: Kept) -> Output:
    return encode.from_bytes(kept.media_type, kept.kind, kept.content)


def _address(job: Any, name: str, media_type: str, base: str) -> str:
    return f"{address_of(job, base)}/results/{quote(name + suffix(media_type), safe='')}"


def _just_gone() -> NoSuchResult:
    return NoSuchResult("The results have just gone. Run the process again.")


def one_output(
    jobs: Jobs[Any], job: Any, asked: str, accept: str | None, request: Request
) -> Response:
    """Return one output of a job, bare; raises as `answer` does.

    Args:
        asked: the output's name, or with the suffix of its media type: tools that open an
            address want one.
    """
    _require_success(job)
    kept = jobs.outputs(job)
    by_file = {name + suffix(one.media_type): name for name, one in kept.items()}
    name = asked if asked in kept else by_file.get(asked, asked)
    _require_outputs([name], list(kept))
    found = kept[name]
    _require_acceptable(found.media_type, accept)
    if is_wanted_as_page(accept, found.media_type):
        return _varying(encode.response({name: _output(found)}, "raw"))
    headers = _FRESH | encode.file_headers(name, found.media_type, found.kind)
    try:
        return file_response(found.path, found.media_type, request, headers)
    except OSError as error:
        raise _just_gone() from error


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


def _require_acceptable(media_type: str, accept: str | None) -> None:
    also = [JSON] if is_json(media_type) else []
    also += [HTML] if is_readable(media_type) else []
    if not any(quality(accept, offered) for offered in (media_type, *also)):
        message = f"{shown(accept)} is not what this output is"
        raise NotAcceptable(Fault("Accept", message, media_type))
