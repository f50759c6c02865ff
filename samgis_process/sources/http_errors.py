"""What went wrong on the way, in our words and without the address."""

from __future__ import annotations

import requests
from urllib3.exceptions import NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from samgis_process.errors import SourceTimeout, SourceUnavailable

TIMEOUTS = (requests.Timeout, TimeoutError, Urllib3Timeout)


def in_our_words(error: Exception, name: str) -> SourceUnavailable:
    """Return what to raise instead of an error of requests, urllib3 or the socket.

    Args:
        error: theirs; its text may hold the address, and with it a key.
        name: what was fetched.
    """
    # urllib3 counts a refused connection among its time-outs; it is none.
    if _holds(error, NewConnectionError):
        return SourceUnavailable(f"{name}: the server cannot be reached")
    if _holds(error, TIMEOUTS):
        return SourceTimeout(f"{name}: the server did not answer in time")
    if _holds(error, requests.exceptions.SSLError):
        return SourceUnavailable(f"{name}: no secure connection to the server is possible")
    return SourceUnavailable(f"{name}: the server's answer is broken")


def _holds(
    error: BaseException | None, kinds: type[BaseException] | tuple[type[BaseException], ...]
) -> bool:
    """Look into what requests and urllib3 wrap."""
    if error is None or isinstance(error, kinds):
        return error is not None
    reason = getattr(error, "reason", None)
    causes = (part for part in (reason, *error.args) if isinstance(part, BaseException))
    return _holds(next(causes, None), kinds)
