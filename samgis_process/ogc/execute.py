"""From the body of an execute request to its answer; works alike in a thread and in a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.responses import Response

from samgis_process.ogc import body, encode
from samgis_process.ogc import request as requests
from samgis_process.ogc.delivery import Delivery, Keep
from samgis_process.ogc.descriptions import no_such_process
from samgis_process.ogc.hrefs import Fetch
from samgis_process.ogc.owner import NOBODY
from samgis_process.ogc.prefer import return_
from samgis_process.ogc.process import Context, Output, Process
from samgis_process.ogc.request import ExecuteRequest, Offer


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where values lie that are in no body.

    Attributes:
        keep: takes outputs that go by reference; without it, none do.
        fetch: gets inputs that come by reference; without it, none do.
    """

    keep: Keep | None = None
    fetch: Fetch | None = None


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who follows a job.

    Attributes:
        report: told how far the run has come.
        is_cancelled: whether nobody wants the answer any more.
    """

    report: Callable[[float, str], None]
    is_cancelled: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Client:
    """What the headers of a request say about its answer."""

    accept: str | None = None
    preferred: Mapping[str, str] = field(default_factory=dict)


def answer(
    offer: Offer, content: bytes, client: Client, context: Context, elsewhere: Elsewhere
) -> Response:
    """Return the answer to an execute request, or raise what is wrong with it."""
    request = requests.read(body.parse(content), offer, client.accept, elsewhere.fetch)
    delivery = request.delivery.preferring(return_(client.preferred), offer.transmission)
    outputs = perform(offer, request, context)
    delivered = encode.referred(outputs, delivery, elsewhere.keep, context)
    response = encode.response(delivered, delivery.shape, several=delivery.several)
    if applied := delivery.applied(delivered):
        response.headers["Preference-Applied"] = applied
    return response


def perform(offer: Offer, request: ExecuteRequest, context: Context) -> Mapping[str, Output]:
    """Return the requested outputs, as far as there are any, in the order of the request."""
    outputs = offer.process.run(request.inputs, replace(context, outputs=request.outputs))
    return {name: outputs[name] for name in request.outputs if name in outputs}


def perform_json(
    offer: Offer, inputs: Any, outputs: Any, context: Context
) -> Mapping[str, Output]:
    """Return the outputs for the two members of a request that stock pygeoapi hands over."""
    request = requests.read({"inputs": inputs, "outputs": outputs}, offer)
    return perform(offer, request, context)


def to_store(
    offer: Offer, request: ExecuteRequest, delivery: Delivery, context: Context
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what to keep with a job, as JSON: its work for `perform_stored`, and its answer."""
    work = {
        "process_id": offer.id,
        "request_id": context.request_id,
        "owner": context.owner,
        "base_url": context.base_url,
        "inputs": request.inputs,
        "outputs": request.outputs,
    }
    called = {"subscriber": request.subscriber, "base_url": context.base_url}
    return work, delivery.stored() | (called if request.subscriber else {})


def perform_stored(
    processes: Mapping[str, Process], attempt: str, stored: Mapping[str, Any], watcher: Watcher
) -> Mapping[str, Output]:
    """Return the outputs for a request that was checked and kept with a job.

    Args:
        attempt: the name of this try.
    """
    name = str(stored["process_id"])
    if name not in processes:  # the server was configured anew in the meantime
        raise no_such_process(name, processes)
    wanted: dict[str, str] = stored["outputs"]
    owner = stored.get("owner", NOBODY)  # jobs of before had none
    context = Context(
        stored["request_id"],
        wanted,
        stored["base_url"],
        watcher.report,
        watcher.is_cancelled,
        owner,
        attempt,
    )
    outputs = processes[name].run(dict(stored["inputs"]), context)
    return {output: outputs[output] for output in wanted if output in outputs}
