"""The laws of snapped windows."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from samgis_process.grid import Bounds, GeoBox, LngLat
from samgis_process.grid.snapping import MOST_STEPS, SMALLEST_STEP, snapped

MAX_PIXELS, MAX_SIDE = 2048 * 2048, 16384


def snap(grid, max_pixels=MAX_PIXELS):
    return snapped(grid, max_pixels, MAX_SIDE)


@st.composite
def grids(draw, most=MAX_PIXELS):
    """Windows of any shape anywhere, also across the antimeridian and at the poles' edge."""
    zoom = draw(st.integers(0, 22))
    tile_size = draw(st.sampled_from([256, 512]))
    world = tile_size << zoom
    width = draw(st.integers(1, min(world, MAX_SIDE)))
    height = draw(st.integers(1, max(1, min(world, MAX_SIDE, most // width))))
    row = draw(st.integers(0, world - height) | st.sampled_from([0, world - height]))
    col = draw(st.integers(0, world - 1) | st.just(max(0, world - width // 2 - 1)))
    return GeoBox(zoom, col, row, width, height, tile_size)


def step_of(length, world):
    """The step of which a side has 5 to 7, or the smallest one."""
    return world if length == world else max(SMALLEST_STEP, 1 << (length // 4).bit_length() - 1)


@given(grids())
def test_it_holds_the_window(grid):
    box = snap(grid)
    if box.width < box.world_size:
        assert (grid.col_off - box.col_off) % grid.world_size + grid.width <= box.width
    assert box.row_off <= grid.row_off
    assert grid.row_off + grid.height <= box.row_off + box.height <= box.world_size


@given(grids())
def test_it_stays_within_the_limits(grid):
    box = snap(grid)
    assert box.width * box.height <= MAX_PIXELS
    assert max(box.shape) <= MAX_SIDE
    assert box.zoom == grid.zoom
    assert box.tile_size == grid.tile_size


@given(grids())
def test_it_is_at_most_five_thirds_as_long(grid):
    box = snap(grid)
    for side, asked in ((box.width, grid.width), (box.height, grid.height)):
        assert side <= max(asked * 5 / 3 + 1, MOST_STEPS * SMALLEST_STEP)


@given(grids(MAX_PIXELS // 3))
def test_its_corner_lies_on_steps(grid):
    box = snap(grid)
    assume(max(grid.shape) < MAX_SIDE / 2)
    for offset, side in ((box.col_off, box.width), (box.row_off, box.height)):
        step = step_of(side, box.world_size)
        assert offset % step == 0


@given(grids(MAX_PIXELS // 3), st.data())
def test_windows_of_a_size_in_one_cell_become_one(grid, data):
    """However large the window, its neighbours in the cell of its corner meet the same."""
    box = snap(grid)
    assume(max(box.shape) < min(box.world_size, MAX_SIDE / 2))
    assume(box.row_off + box.height < box.world_size)
    across = data.draw(st.integers(0, box.width - grid.width))
    along = data.draw(st.integers(0, box.height - grid.height))
    moved = replace(
        grid, col_off=(box.col_off + across) % grid.world_size, row_off=box.row_off + along
    )
    if across < step_of(box.width, 0) and along < step_of(box.height, 0):
        assert snap(moved) == box


@given(grids(MAX_PIXELS // 3))
def test_it_says_the_same_each_time(grid):
    assert snap(grid) == snap(replace(grid))


@given(grids(), st.integers(1, 10**6))
def test_a_tight_limit_gives_a_tighter_window(grid, room):
    """Down to the window itself, which was let through."""
    limit = grid.width * grid.height + room
    box = snap(grid, limit)
    assert box.width * box.height <= limit
    assert box.width >= grid.width
    assert box.height >= grid.height


@pytest.mark.parametrize("lat", [0.0, 46.0, -70.0, 85.0])
def test_most_small_pans_meet_the_same_window(lat):
    """A pan by a twentieth of the screen; with exact windows no pan ever does."""
    random.seed(5)
    met = 0
    for _ in range(400):
        west, width = random.uniform(-180, 179), 0.01
        height = width * np.cos(np.radians(lat))
        south = lat + random.uniform(-0.01, 0.01)
        zoom = 16
        turn = random.uniform(0, 2 * np.pi)
        moved = west + 0.05 * width * np.cos(turn), south + 0.05 * height * np.sin(turn)
        first, second = (
            snap(GeoBox.around(Bounds(w, s, (w + width + 180) % 360 - 180, s + height), zoom))
            for w, s in ((west, south), moved)
        )
        met += first == second
    assert met / 400 > 0.6


def test_it_leads_across_the_antimeridian():
    grid = GeoBox.around(Bounds(179.99, -17.01, -179.99, -17.0), 15)
    box = snap(grid)
    assert box.col_off + box.width > box.world_size
    assert box.bounds.contains(LngLat(-179.991, -17.005))
    assert box.bounds.contains(LngLat(179.991, -17.005))


@pytest.mark.parametrize(
    ("asked", "given_"), [((1, 1), (16, 16)), ((17, 33), (32, 48)), ((1024, 768), (1280, 896))]
)
def test_sizes(asked, given_):
    box = snap(GeoBox(18, 31_234_567, 20_234_567, *asked))
    assert (box.width, box.height) == given_


def test_the_whole_world_stays_the_whole_world():
    grid = GeoBox(2, 0, 0, 1024, 1024)
    assert snap(grid) == grid
    assert snap(GeoBox(0, 100, 3, 250, 250)) == GeoBox(0, 0, 0, 256, 256)


def test_very_long_windows_snap_too():
    box = snap(GeoBox(18, 31_234_567, 20_234_567, 9000, 1))
    assert (box.width, box.height) == (12288, 16)
    longest = snap(GeoBox(18, 31_234_567, 20_234_567, 16384, 1))
    assert longest.width == 16384
