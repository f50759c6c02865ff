"""From the body of an execute request to its answer; works alike in a thread and in a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from samgis_process.ogc import body, encode
from samgis_process.ogc import request as requests
from samgis_process.ogc.process import Context, Output
from samgis_process.ogc.request import ExecuteRequest, Offer


def answer(offer: Offer, content: bytes, accept: str | None, context: Context) -> Response:
    """Return the answer to an execute request, or raise what is wrong with it."""
    request = requests.read(body.parse(content), offer, accept)
    return encode.response(perform(offer, request, context), request.shape, accept)


def perform(offer: Offer, request: ExecuteRequest, context: Context) -> Mapping[str, Output]:
    """Return the requested outputs, in the order in which they were requested."""
    outputs = offer.process.run(request.inputs, replace(context, outputs=request.outputs))
    return {name: outputs[name] for name in request.outputs}


def perform_json(
    offer: Offer, inputs: Any, outputs: Any, context: Context
) -> Mapping[str, Output]:
    """Return the outputs for the two members of a request that stock pygeoapi hands over."""
    request = requests.read({"inputs": inputs, "outputs": outputs}, offer)
    return perform(offer, request, context)
