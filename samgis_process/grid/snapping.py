"""Windows on a fixed grid: those that lie close together become one, and share its embedding.

A window's side becomes 5, 6 or 7 steps, and its corner lies on a multiple of the step, a power of
two. Which step and how many depends on the side's length alone, so all windows of a size whose
corners lie in one cell of the grid become the same window. It is at most 5/3 as long as what was
asked for; of windows moved by a share p of their side, about 1 - 4p to 1 - 6p meet the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from samgis_process.grid.geobox import GeoBox

MOST_STEPS = 7  # with more, a small move would too often lead into the next cell
SMALLEST_STEP = 16  # pixels; windows below 64 pixels hold little to see


def snapped(grid: GeoBox, max_pixels: int, max_side: int) -> GeoBox:
    """Return the window of the fixed grid that holds `grid`.

    Where it would be larger than allowed, a grid twice as fine is taken, and so on; the finest
    one is `grid` itself.
    """
    return next(
        box
        for box in _ever_tighter(grid)
        if box == grid or (box.width * box.height <= max_pixels and max(box.shape) <= max_side)
    )


def _ever_tighter(grid: GeoBox) -> Iterator[GeoBox]:
    across, along = _step(grid.width), _step(grid.height)
    while max(across, along) > 1:
        yield _on_steps(grid, across, along)
        across, along = max(1, across // 2), max(1, along // 2)
    yield grid


def _step(extent: int) -> int:
    """Return the finest step of which at most `MOST_STEPS` hold `extent` pixels anywhere."""
    step = SMALLEST_STEP
    while _length(extent, step) > MOST_STEPS * step:
        step *= 2
    return step


def _length(extent: int, step: int) -> int:
    """Return the length in whole steps that holds `extent` pixels wherever they begin."""
    return (1 + -(-(extent - 1) // step)) * step


def _on_steps(grid: GeoBox, across: int, along: int) -> GeoBox:
    """Return the window whose corner lies on multiples of the steps; the world has an end."""
    world = grid.world_size
    width, height = _length(grid.width, across), _length(grid.height, along)
    if width >= world:
        col_off, width = 0, world
    else:
        col_off = grid.col_off // across * across
    height = min(height, world)
    row_off = min(grid.row_off // along * along, world - height)
    return replace(grid, col_off=col_off, row_off=row_off, width=width, height=height)
