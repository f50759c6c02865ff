"""Inputs by reference, fetched within the bounds that the settings set."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from samgis_process import outbound
from samgis_process.errors import Overloaded
from samgis_process.ogc.hrefs import Fetch, Fetched, Unfetched
from samgis_process.outbound import Limits, Refused, Rules, Unreachable
from samgis_process.settings import HrefSettings
from samgis_process.turns import aside


def fetcher(settings: HrefSettings, rules: Rules | None = None) -> Fetch | None:
    """Return what fetches the inputs of a request; None where no host may be asked.

    Args:
        rules: instead of those that the settings set.
    """
    if not (settings.hosts or settings.private_hosts):
        return None
    rules = rules or Rules(settings.hosts, settings.private_hosts)
    room = threading.BoundedSemaphore(settings.workers)

    def fetch(addresses: Sequence[str]) -> list[Fetched | Unfetched]:
        if not room.acquire(blocking=False):
            raise Overloaded(
                "The inputs of other requests are being fetched, as many as this server does at "
                "a time (href.workers). Try again in a few seconds."
            )
        try:
            with aside("inputs that are fetched"):
                return list(_fetched(addresses, rules, settings))
        finally:
            room.release()

    return fetch


def _fetched(
    addresses: Sequence[str], rules: Rules, settings: HrefSettings
) -> Iterator[Fetched | Unfetched]:
    until, room = time.monotonic() + settings.timeout_s, settings.max_bytes
    for number, address in enumerate(addresses):
        if number >= settings.max_values:
            limit = f"at most {settings.max_values} in a request (href.max_values)"
            yield Unfetched("is one reference too many", limit)
            continue
        found = _one(address, rules, Limits(room, max(0.01, until - time.monotonic())), settings)
        room -= len(found.content) if isinstance(found, Fetched) else 0
        yield found


def _one(
    address: str, rules: Rules, limits: Limits, settings: HrefSettings
) -> Fetched | Unfetched:
    try:
        found = outbound.get(address, rules, limits)
    except Refused as error:
        # Which private hosts there are is nobody else's business.
        return Unfetched(str(error), ", ".join(settings.hosts) or "a host named by the operator")
    except Unreachable as error:
        limit = f"{settings.max_bytes} bytes within {settings.timeout_s:g} s, for all together"
        return Unfetched(str(error), limit)
    return Fetched(found.media_type, found.content)
