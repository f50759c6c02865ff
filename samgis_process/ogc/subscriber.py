"""Who wants to be called about a job (`subscriber` of an execute request)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from samgis_process.errors import Fault
from samgis_process.ogc.wording import clipped, did_you_mean, kind, shown

SUCCESS, IN_PROGRESS, FAILED = URIS = ("successUri", "inProgressUri", "failedUri")
_MISSPELT = {"successUrl": SUCCESS}  # in the standard's own schema
_HTTP = "an address of http or https that everybody can reach"
_NOT_OFFERED = "asks for callbacks, which are not offered"

# Says why an address cannot be called; None where it can.
Check = Callable[[str], str | None]
LONGEST = 2000  # characters of an address


def read(value: Any, check: Check | None) -> tuple[dict[str, str], list[Fault]]:
    """Return the addresses to call, and what is wrong with them.

    Args:
        check: None: nobody is called.
    """
    if value is None:
        return {}, []
    if check is None:
        return {}, [Fault("subscriber", _NOT_OFFERED, "", "Leave it out.")]
    if not isinstance(value, dict) or not value:
        message = f"{shown(value)} is {kind(value)}" if value else "holds no address"
        return {}, [Fault("subscriber", message, "an object with " + ", ".join(URIS))]
    named = {_MISSPELT.get(str(name), str(name)): uri for name, uri in value.items()}
    faults = [fault for name in list(named)[:20] if (fault := _fault(name, named[name], check))]
    return named, faults


def _fault(name: str, uri: Any, check: Check) -> Fault | None:
    place = f"subscriber.{clipped(name)}"
    if name not in URIS:
        remedy = did_you_mean(name, URIS) or "Leave it out."
        return Fault(place, "is unknown", f"known: {', '.join(URIS)}", remedy)
    if not isinstance(uri, str):
        return Fault(place, f"{shown(uri)} is {kind(uri)}", _HTTP)
    if len(uri) > LONGEST:
        return Fault(place, f"is {len(uri)} characters long", f"{LONGEST} characters")
    refused = check(uri)
    return Fault(place, refused, _HTTP, "Name another address.") if refused else None


def of(answer: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the addresses that were kept with a job."""
    return answer.get("subscriber") or {}
