"""Progress on standard error: one line that fills up on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time

STEP_S = 2.0  # between plain lines of the same message


class Progress:
    """Called with a message and how much of it is done, 0 to 1 (None: nobody knows)."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._message = ""
        self._said = 0.0
        self._open = False

    def __call__(self, message: str, fraction: float | None) -> None:
        """Show it."""
        new = message != self._message
        text = message if fraction is None else f"{message} {fraction:4.0%}"
        if self._terminal:
            if self._open and new:
                sys.stderr.write("\n")
            sys.stderr.write(f"\r{text}\x1b[K")
            self._open = fraction is not None and fraction < 1
            if not self._open:
                sys.stderr.write("\n")
        elif new or time.monotonic() - self._said > STEP_S:
            sys.stderr.write(f"{text}\n")
            self._said = time.monotonic()
        sys.stderr.flush()
        self._message = message
