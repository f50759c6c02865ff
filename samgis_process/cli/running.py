"""Long work of a command: a bar while it runs, and Ctrl-C is answered at once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from samgis_process.cli.exit_codes import INTERRUPTED

TICK_S = 0.2  # between drawings of the bar
WIDTH = 24  # characters of a full bar

Report = Callable[[float, str], None]


class Bar:
    """One line on a terminal; nothing where standard error goes elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown = sys.stderr.isatty() and not quiet
        self._begun = time.monotonic()
        self._state = (0.0, "starting")

    def report(self, fraction: float, message: str) -> None:
        """Take how far the work is, 0 to 1; from any thread."""
        self._state = (fraction, message)

    def draw(self) -> None:
        """Show it, and the seconds since it was made."""
        fraction, message = self._state
        full = "#" * round(WIDTH * fraction)
        seconds = time.monotonic() - self._begun
        self._write(f"\r[{full:.<{WIDTH}}] {fraction:4.0%} {message}, {seconds:.0f} s\x1b[K")

    def clear(self) -> None:
        """Leave the line to others."""
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._shown:
            sys.stderr.write(text)
            sys.stderr.flush()


def run[T](work: Callable[[Report], T], *, quiet: bool) -> T:
    """Return what `work` returns; it is told how to report.

    It runs in a thread, because libraries that are busy or wait for a server hear no Ctrl-C. When
    that comes the program ends here and now: what is being written to a cache is not there yet.
    """
    bar = Bar(quiet=quiet)
    thread = ThreadPoolExecutor(1)
    try:
        under_way = thread.submit(work, bar.report)
        bar.draw()
        while not wait([under_way], TICK_S).done:
            bar.draw()
    except KeyboardInterrupt:
        bar.clear()
        os._exit(INTERRUPTED)
    bar.clear()
    return under_way.result()
