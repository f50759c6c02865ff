"""The execute request of the standard, read from its JSON."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from samgis_process.errors import Fault, InvalidRequest
from samgis_process.ogc import subscriber as subscribers
from samgis_process.ogc.delivery import Delivery, Mode, Shape
from samgis_process.ogc.errors import NoSuchOutput, NotAcceptable
from samgis_process.ogc.explain import MOST_FAULTS
from samgis_process.ogc.hrefs import Fetch, fetched
from samgis_process.ogc.negotiation import HTML, JSON, is_json, is_readable, matches, quality
from samgis_process.ogc.process import Process
from samgis_process.ogc.schemas import media_types
from samgis_process.ogc.subscriber import Check
from samgis_process.ogc.validation import Inputs
from samgis_process.ogc.wording import clipped, did_you_mean, kind, nearest, shown

_MEMBERS = ("inputs", "outputs", "response", "subscriber")


class Offer:
    """A process, with what its description promises compiled once.

    Args:
        references: whether outputs can be kept, to be transmitted by reference.
    """

    def __init__(self, process: Process, *, references: bool = False) -> None:
        description = process.description
        self.transmission = transmission(description, references=references)
        self.process = process
        self.apart = bool(getattr(process, "apart", False))
        self.id = str(description["id"])
        self.inputs = Inputs(description.get("inputs", {}))
        self.outputs: dict[str, list[str]] = {
            name: media_types(declared.get("schema", {}))
            for name, declared in description.get("outputs", {}).items()
        }


def transmission(description: Mapping[str, Any], *, references: bool) -> list[str]:
    """Return how outputs of a process can be transmitted here."""
    declared: list[str] = list(description.get("outputTransmission", ["value"]))
    return declared if references else ["value"]


@dataclass(frozen=True, slots=True)
class ExecuteRequest:
    """A request that fits the description.

    Attributes:
        inputs: by name, unwrapped.
        outputs: the media type wanted of each requested output; empty: run, answer nothing.
        delivery: what the body says about the answer.
        subscriber: addresses to call about the job, by what they want to hear.
    """

    inputs: dict[str, Any]
    outputs: dict[str, str]
    delivery: Delivery
    subscriber: dict[str, str] = field(default_factory=dict)


def read(
    body: Mapping[str, Any],
    offer: Offer,
    accept: str | None = None,
    fetch: Fetch | None = None,
    subscribing: Check | None = None,
) -> ExecuteRequest:
    """Return the request, checked against what is offered.

    Args:
        fetch: gets the inputs that the request only refers to; without it, these are refused.
            It is called once all the rest is right.
        subscribing: checks addresses to call; without it, nobody is called.

    Raises:
        InvalidRequest: something is wrong with it; names everything that is.
    """
    stray = _stray_members(body, offer)
    given, wrong = _object(body, "inputs")
    inputs, refused = offer.inputs.check(given or {}, references=fetch is not None)
    shape, misshapen = _shape(body)
    if wrong or (stray and not given):  # what is missing then is not the mistake
        refused = []
    subscriber, uncallable = subscribers.read(body.get("subscriber"), subscribing)
    faults = [*stray, *uncallable, *wrong, *refused, *misshapen]
    wanted = _Wanted(offer, None if shape == "document" else accept)
    outputs = wanted.read(body.get("outputs"))
    if faults or wanted.faults:
        raise InvalidRequest(*faults, *wanted.faults) if faults else wanted.error()
    if fetch and given and (whole := fetched(given, offer.inputs, fetch)) is not given:
        inputs, refused = offer.inputs.check(whole)
        if refused:
            raise InvalidRequest(*refused)
    return ExecuteRequest(
        inputs, outputs, Delivery(shape, wanted.modes, several=len(outputs) > 1), subscriber
    )


def _object(body: Mapping[str, Any], member: str) -> tuple[dict[str, Any] | None, list[Fault]]:
    value = body.get(member)
    if value is None or isinstance(value, dict):
        return value, []
    return None, [Fault(member, f"{shown(value)} is {kind(value)}", "an object")]


def _stray_members(body: Mapping[str, Any], offer: Offer) -> list[Fault]:
    """Return a fault for each member that was surely meant otherwise; others are let be."""
    faults = []
    absent = [member for member in _MEMBERS if member not in body]
    for name in [name for name in body if name not in _MEMBERS][:MOST_FAULTS]:
        meant = nearest(name, absent)
        if name in offer.inputs:
            remedy = 'Put it inside "inputs": {...}.'
            faults.append(Fault(name, "is an input outside of `inputs`", "", remedy))
        elif meant:
            known = f"known: {', '.join(_MEMBERS)}"
            faults.append(Fault(clipped(name), "is unknown", known, f"Did you mean {meant}?"))
    return faults


def _shape(body: Mapping[str, Any]) -> tuple[Shape | None, list[Fault]]:
    match body.get("response"):
        case None:
            return None, []
        case "raw" | "document" as shape:
            return shape, []
        case other:
            remedy = did_you_mean(other, ("raw", "document"))
            return None, [Fault("response", f"is {shown(other)}", "raw or document", remedy)]


class _Wanted:
    """Reads `outputs`, and collects what is wrong with it."""

    def __init__(self, offer: Offer, accept: str | None) -> None:
        self._offer = offer
        self._accept = accept
        self.modes: dict[str, Mode] = {}
        self._unknown: list[Fault] = []
        self._unacceptable: list[Fault] = []
        self._invalid: list[Fault] = []

    @property
    def faults(self) -> list[Fault]:
        return [*self._unknown, *self._unacceptable, *self._invalid]

    def error(self) -> InvalidRequest:
        """Return the error that names the sort of mistake, where all are of one sort."""
        if self._unknown == self.faults:
            return NoSuchOutput(*self.faults)
        if self._unacceptable == self.faults:
            return NotAcceptable(*self.faults)
        return InvalidRequest(*self.faults)

    def read(self, outputs: Any) -> dict[str, str]:
        if outputs is None:
            outputs = dict.fromkeys(self._offer.outputs)
        if isinstance(outputs, list) and all(isinstance(name, str) for name in outputs):
            outputs = dict.fromkeys(outputs)  # a list of names is a common way to say it
        if not isinstance(outputs, dict):
            message = f"{shown(outputs)} is {kind(outputs)}"
            self._invalid.append(Fault("outputs", message, "an object, by output"))
            return {}
        # Of several outputs, Accept means the document that holds them.
        accept = self._accept if len(outputs) == 1 else None
        asked = itertools.islice(outputs.items(), len(self._offer.outputs) + MOST_FAULTS)
        return {name: self._media_type(name, how, accept) for name, how in asked}

    def _media_type(self, name: str, how: Any, accept: str | None) -> str:
        place = f"outputs.{clipped(name)}"
        offered = self._offer.outputs.get(name)
        if offered is None:
            known = f"known: {', '.join(self._offer.outputs)}"
            remedy = did_you_mean(name, self._offer.outputs) or "Leave it out."
            self._unknown.append(Fault(place, "is not an output of this process", known, remedy))
            return ""
        if not isinstance(how, dict | None):
            self._invalid.append(Fault(place, f"{shown(how)} is {kind(how)}", "an object"))
            return ""
        self._transmission(name, place, (how or {}).get("transmissionMode"))
        return self._chosen(place, offered, _asked(how or {}), accept)

    def _transmission(self, name: str, place: str, mode: Any) -> None:
        offered = self._offer.transmission
        if mode is None:
            return
        if isinstance(mode, str) and mode in offered:
            self.modes[name] = "reference" if mode == "reference" else "value"
            return
        remedy = did_you_mean(mode, offered) or "Leave it out; the answer holds the value."
        message = f"{shown(mode)} is not offered"
        self._invalid.append(
            Fault(f"{place}.transmissionMode", message, " or ".join(offered), remedy)
        )

    def _chosen(self, place: str, offered: list[str], asked: Any, accept: str | None) -> str:
        if asked is not None:
            fitting = [o for o in offered if isinstance(asked, str) and matches(asked, o)]
            fault = Fault(
                f"{place}.format.mediaType", f"{shown(asked)} is not offered", ", ".join(offered)
            )
        else:
            wanted = max(offered, key=lambda media_type: _quality(accept, media_type))
            paged = is_readable(wanted) and quality(accept, HTML)
            fitting = [wanted] if _quality(accept, wanted) or paged else []
            fault = Fault("Accept", f"{shown(accept)} is not offered", ", ".join(offered))
        if not fitting:
            self._unacceptable.append(fault)
            return ""
        return fitting[0]


def _asked(how: Mapping[str, Any]) -> Any:
    nested = how.get("format")
    return (nested.get("mediaType") if isinstance(nested, dict) else None) or how.get("mediaType")


def _quality(accept: str | None, media_type: str) -> float:
    """Return how much a client wants it; who asks for JSON takes what is built on it."""
    asked = quality(accept, media_type)
    return max(asked, quality(accept, JSON)) if is_json(media_type) else asked
