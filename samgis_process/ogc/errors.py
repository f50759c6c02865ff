"""What can be wrong with a request before a process sees it.

SamgisError
├── InvalidRequest
│   ├── NoSuchOutput          an output that the process does not have
│   ├── NotAcceptable         an output in a media type that it does not offer
│   ├── InvalidParameter      a parameter of the query
│   └── UnknownHost           a Host header with a name that is not the server's
├── NoSuchProcess             the path names a process that is not there
├── UnsupportedMediaType      the body is not said to be JSON
└── BodyTooLarge              the body is longer than this server reads
"""

from __future__ import annotations

from samgis_process.errors import InvalidRequest, SamgisError


class NoSuchOutput(InvalidRequest):
    """The process has no such output."""


class NotAcceptable(InvalidRequest):
    """The output exists, but not in this media type."""


class InvalidParameter(InvalidRequest):
    """A parameter of the query is wrong."""


class NoSuchProcess(SamgisError):
    """There is no such process."""


class UnsupportedMediaType(SamgisError):
    """The body is not said to be JSON."""


class BodyTooLarge(SamgisError):
    """The body is longer than this server reads."""


class UnknownHost(InvalidRequest):
    """The Host header holds none of the server's names."""
