"""What a process is, to this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a run.

    Attributes:
        media_type: what `value` is, as in `Content-Type`.
        value: a JSON value, or the bytes of a file.
    """

    media_type: str
    value: Any


def _nobody_listens(_fraction: float, _message: str) -> None:
    pass


def _nobody_is_warned(_words: str) -> None:
    pass


def _nobody_cancels() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Context:
    """What a run knows about its surroundings.

    Attributes:
        request_id: names the request in answers and in the log.
        outputs: the media type wanted of each requested output.
        base_url: the server's address as the client knows it, without a slash at its end.
        on_report: told how far the run has come.
        is_cancelled: asked whether anybody still wants the answer.
        owner: whose request it is; who keeps anything keeps it for them. "" for nobody's.
        attempt: the name of this try of a job; what is kept for it goes with the job. "" where
            the run is waited for.
        on_warning: told what a reader of the answer should know, whatever the answer's format.
    """

    request_id: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""
    on_report: Callable[[float, str], None] = _nobody_listens
    is_cancelled: Callable[[], bool] = _nobody_cancels
    owner: str = ""
    attempt: str = ""
    on_warning: Callable[[str], None] = _nobody_is_warned

    def report(self, fraction: float, message: str) -> None:
        """Say how far the work has come, 0 to 1."""
        self.on_report(fraction, message)

    def warn(self, words: str) -> None:
        """Say what a reader of the answer should know."""
        self.on_warning(words)

    def link(self, path: str) -> str:
        """Return the address of a path of this server, which begins with a slash."""
        return f"{self.base_url}{path}"

    def cancelled(self) -> bool:
        """Return whether the work should stop."""
        return self.is_cancelled()


class Process(Protocol):
    """What can be run.

    With an attribute `apart` that is true, its runs are jobs even where they are waited for: then
    they can be ended, whatever they do.
    """

    @property
    def description(self) -> Mapping[str, Any]:
        """The process description of the standard, without links."""
        ...

    def run(self, inputs: dict[str, Any], context: Context) -> Mapping[str, Output]:
        """Return the outputs, by id, for inputs that the description's schemas allow.

        One that these inputs do not lead to may be absent.
        """
        ...
