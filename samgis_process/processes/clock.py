"""How long each step of a request takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Clock:
    """Milliseconds spent on each step of a request."""

    start: float = field(default_factory=time.perf_counter)
    spent: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("tiles", "encode", "decode", "vectorize"), 0.0)
    )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what is done inside towards one step."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] += (time.perf_counter() - begun) * 1000

    def timings_ms(self) -> dict[str, float]:
        """Return the steps and the total."""
        total = (time.perf_counter() - self.start) * 1000
        return {name: round(ms, 1) for name, ms in (self.spent | {"total": total}).items()}
