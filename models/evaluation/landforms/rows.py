"""What is measured."""

from __future__ import annotations

from dataclasses import dataclass

MEASURES = ("c1", "c3", "c5", "box")


@dataclass(frozen=True, slots=True)
class Row:
    """One landform in one rendering: IoU after one, three and five clicks, and of its box."""

    rendering: str
    scene: str
    origin: str
    kind: str
    object_id: int
    c1: float
    c3: float
    c5: float
    box: float

    def __getitem__(self, measure: str) -> float:
        return float(getattr(self, measure))
