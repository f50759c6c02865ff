"""What this process has counted since its start, for whoever runs it: numbers that only grow."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Literal

What = Literal["embeddings", "step_runs", "step_seconds"]
Counts = Mapping[tuple[str, str], float]

_counts: dict[tuple[str, str], float] = defaultdict(float)
_lock = threading.Lock()


def add(what: What, label: str, amount: float = 1) -> None:
    """Count something; `label` is one of few words."""
    with _lock:
        _counts[what, label] += amount


def merge(counts: Counts) -> None:
    """Add what another process has counted."""
    with _lock:
        for key, amount in counts.items():
            _counts[key] += amount


def counts() -> Counts:
    """Return all numbers, by what they count and label."""
    with _lock:
        return dict(_counts)


def drained() -> Counts:
    """Return all numbers, and begin anew."""
    with _lock:
        taken = dict(_counts)
        _counts.clear()
        return taken
