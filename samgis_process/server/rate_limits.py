"""How often somebody may come: a bucket of tokens each, in the memory of this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

MOST = 10_000  # buckets kept; who was not seen for longest is forgotten, and begins anew


class RateLimit:
    """Lets each name take `per_minute` tokens a minute, after a pause `burst` at once.

    Used on one thread: that of the event loop.

    Args:
        per_minute: None lets everybody take as many as they like.
        clock: seconds, of any beginning.
    """

    def __init__(
        self,
        per_minute: float | None,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = per_minute / 60 if per_minute else None
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, moment

    def take(self, name: str, cost: float = 1) -> float:
        """Take `cost` tokens and return 0, or return the seconds until there are so many."""
        if self._rate is None:
            return 0
        moment = self._clock()
        tokens, then = self._buckets.pop(name, (self._burst, moment))
        tokens = min(self._burst, tokens + (moment - then) * self._rate)
        wait = 0.0 if tokens >= cost else (cost - tokens) / self._rate
        self._buckets[name] = (tokens if wait else tokens - cost, moment)
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        return wait


def name_of(address: str) -> str:
    """Return who is counted at an address: of IPv6, a household has a network of 64 bits."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and not found.ipv4_mapped:
        return f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return address
