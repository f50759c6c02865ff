"""What can be wrong with a request before a process sees it.

SamgisError
├── InvalidRequest
│   ├── NoSuchOutput          an output that the process does not have
│   ├── NotAcceptable         an output in a media type that it does not offer
│   ├── InvalidParameter      a parameter of the query
│   └── UnknownHost           a Host header with a name that is not the server's
├── NoSuchProcess             the path names a process that is not there
├── NoSuchJob                 the path names a job that is not there, or not any more
│   └── JobDismissed          it was dismissed
├── ResultNotReady            the job is not done yet
├── ProcessFailed             a process that somebody else wrote failed
├── JobFailed                 its own problem is the answer
├── NotSignedIn               nobody knows who asks
├── NotAllowed                who asks may not
├── TooManyRequests           who asks has asked too often
├── UnsupportedMediaType      the body is not said to be JSON
├── BodyTooLarge              the body is longer than this server reads
├── HeadersTooLarge           the address and the headers are, likewise
└── RequestTooSlow            the body does not come in time
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samgis_process.errors import InvalidRequest, SamgisError


class NoSuchOutput(InvalidRequest):
    """The process has no such output."""


class NotAcceptable(InvalidRequest):
    """The output exists, but not in this media type."""


class InvalidParameter(InvalidRequest):
    """A parameter of the query is wrong."""


class NoSuchProcess(SamgisError):
    """There is no such process."""


class NoSuchJob(SamgisError):
    """There is no such job, or not any more, or it is somebody else's."""


class JobDismissed(NoSuchJob):
    """The job was dismissed: nothing more will come of it."""


class ResultNotReady(SamgisError):
    """The job is not done yet."""


class ProcessFailed(SamgisError):
    """A process that somebody else wrote failed, or returned what cannot be sent."""


class JobFailed(SamgisError):
    """The job ended in an error; `problem` is what its run would have been answered with."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self.problem = problem
        super().__init__(str(problem.get("detail", "")))


class NotSignedIn(SamgisError):
    """The request does not say who sends it, or not so that it can be believed.

    Attributes:
        challenge: how to say it, as in `WWW-Authenticate`.
    """

    def __init__(self, message: str, challenge: str) -> None:
        super().__init__(message)
        self.challenge = challenge


class NotAllowed(SamgisError):
    """It is known who asks, and that this is not for them."""


class TooManyRequests(SamgisError):
    """Whoever asks has asked too often.

    Attributes:
        retry_after_s: seconds after which another try makes sense.
    """

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnsupportedMediaType(SamgisError):
    """The body is not said to be JSON."""


class BodyTooLarge(SamgisError):
    """The body is longer than this server reads."""


class HeadersTooLarge(SamgisError):
    """The address and the headers are longer than this server reads."""


class RequestTooSlow(SamgisError):
    """The body does not come in time."""


class UnknownHost(InvalidRequest):
    """The Host header holds none of the server's names."""
