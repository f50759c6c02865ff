"""How long each step of a request takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from samgis_process import tally


def _nobody_hears(_name: str) -> None:
    pass


@dataclass(slots=True)
class Clock:
    """Milliseconds spent on each step of a request; `begun` hears of each that begins."""

    start: float = field(default_factory=time.perf_counter)
    spent: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("tiles", "encode", "decode", "vectorize"), 0.0)
    )
    begun: Callable[[str], None] = _nobody_hears

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what is done inside towards one step."""
        self.begun(name)
        since = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - since
            self.spent[name] += seconds * 1000
            tally.add("step_seconds", name, seconds)
            tally.add("step_runs", name)

    def timings_ms(self) -> dict[str, float]:
        """Return the steps and the total."""
        total = (time.perf_counter() - self.start) * 1000
        return {name: round(ms, 1) for name, ms in (self.spent | {"total": total}).items()}
