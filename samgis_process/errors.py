"""What can go wrong, in the words of the domain; every message here is public.

SamgisError
├── InvalidRequest          one or more inputs are wrong; sending it again cannot help
│   ├── InvalidInput        one input
│   ├── NoData              the source holds nothing in the window
│   └── PictureGone         a digest stands for a picture that is not kept (any more)
├── SourceUnavailable       a source did not answer, or answered nonsense
│   ├── SourceTimeout       it did not answer in time
│   └── SourceDamaged       its files are damaged or missing
├── ConfigurationError      a setting, or what it speaks of, cannot be used
├── NotAsked                an address that a request names was not asked, or did not answer
├── NoSuchResult            a result that is not kept (any more)
├── NoRoom                  a result cannot be kept: the disk is full
├── StoreUnavailable        the job store does not answer now
│   └── StoreUnusable       it cannot be opened, or is of another version
├── Interrupted             who worked on a job ended, again and again
├── TookTooLong             a job reached its time limit
├── ModelUnavailable        the model's files are missing, damaged or of another shape
└── Overloaded              too much work is waiting; later it may pass
"""

from __future__ import annotations

from dataclasses import dataclass


class SamgisError(Exception):
    """Base of what we raise on purpose; its message is public."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one input.

    Attributes:
        input: name of the input, with a path below it where that helps (`prompt[3].data.lat`).
        message: what came, and why it does not do.
        limit: what would be accepted.
        remedy: what to do about it.
    """

    input: str
    message: str
    limit: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        """Cut what came with a request: an answer need not be as long as it."""
        for name, most in (("input", 200), ("message", 1000), ("limit", 2000)):
            text = getattr(self, name)
            if len(text) > most:
                object.__setattr__(self, name, f"{text[: most - 3]}...")


class InvalidRequest(SamgisError):
    """The request cannot be answered as it stands; `faults` says which inputs are wrong."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.input}: {fault.message}" for fault in faults))


class InvalidInput(InvalidRequest):
    """One input is wrong."""

    def __init__(self, name: str, message: str, *, limit: str = "", remedy: str = "") -> None:
        super().__init__(Fault(name, message, limit, remedy))


class NoData(InvalidInput):
    """The source holds nothing inside the window."""


class PictureGone(InvalidRequest):
    """A digest stands for a picture that is not kept, or not any more; sending it helps."""


class SourceUnavailable(SamgisError):
    """A source did not answer, or answered nonsense; later it may be well again."""


class SourceTimeout(SourceUnavailable):
    """A source did not answer in time."""


class SourceDamaged(SourceUnavailable):
    """Files of a source are damaged or missing: time alone does not mend it."""


class ConfigurationError(SamgisError):
    """The configuration cannot be used; the message names the setting and what it wants."""


class NotAsked(SamgisError):
    """An address that a request names was not asked, or did not answer."""


class NoSuchResult(SamgisError):
    """There is no such file among the results, or not any more."""


class NoRoom(SamgisError):
    """A result cannot be kept now; later there may be room."""


class StoreUnavailable(SamgisError):
    """The job store does not answer, or has no room; later it may be well again."""


class StoreUnusable(StoreUnavailable):
    """The job store cannot be opened, or was written by another version."""


class Interrupted(SamgisError):
    """Whoever worked on a job ended before it was done, and so did the next."""


class TookTooLong(SamgisError):
    """A job was not done within the time that one may take."""


class ModelUnavailable(SamgisError):
    """A model's files are missing, damaged, or not of the shape its family expects."""


class Overloaded(SamgisError):
    """Too much work is waiting.

    Attributes:
        retry_after_s: seconds after which another try makes sense.
    """

    def __init__(self, message: str, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
