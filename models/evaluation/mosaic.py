"""Wide windows laid out of pictures of one source at their own resolution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation import pairs, protocol


@dataclass(frozen=True, slots=True)
class Window:
    """Which window to lay out, and how many of its objects to ask for."""

    source: str
    side: int
    tiles: tuple[pairs.Pair, ...]
    objects: int


def lay_out(window: Window) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the window's picture and a label map in which every object has its own number."""
    picture = np.zeros((window.side, window.side, 3), np.uint8)
    labels = np.zeros((window.side, window.side), np.int32)
    tiles = _turned(window.tiles)
    top = 0
    while top < window.side:
        left, height = 0, 0
        while left < window.side:
            image, own = next(tiles)
            own = np.where(own > 0, own + labels.max(), 0)
            rows, cols = (
                min(image.shape[0], window.side - top),
                min(image.shape[1], window.side - left),
            )
            picture[top : top + rows, left : left + cols] = image[:rows, :cols]
            labels[top : top + rows, left : left + cols] = own[:rows, :cols]
            left, height = left + image.shape[1], image.shape[0]
        top += height
    return picture, labels


def _turned(tiles: Sequence[pairs.Pair]) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
    """Yield the pictures, then mirrored and upside down, without end; sides stay as they are."""
    turn = 0
    while True:
        flips = (
            slice(None, None, -1 if turn & 1 else 1),
            slice(None, None, -1 if turn & 2 else 1),
        )
        for tile in tiles:
            image, labels = tile.read()
            yield image[flips], _usable(labels, tile)[flips]
        turn += 1


def _usable(labels: NDArray[np.int32], tile: pairs.Pair) -> NDArray[np.int32]:
    """Return the label map with the protocol's objects only."""
    kept = protocol.choose_objects(labels, f"{tile.source}/{tile.name}")
    return np.where(np.isin(labels, kept), labels, 0)


def windows(asked: Sequence[pairs.Pair], sides: Sequence[int], objects: int) -> list[Window]:
    """Return a window of each side for each source that has enough pictures."""
    sources = sorted({pair.source for pair in asked})
    tiles = {source: tuple(p for p in asked if p.source == source) for source in sources}
    return [
        Window(source, side, tiles[source], objects)
        for side in sides
        for source in sources
        if len(tiles[source]) > 1
    ]
