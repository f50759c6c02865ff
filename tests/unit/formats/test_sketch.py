"""The preview with outlines and prompts: what somebody sees in it."""

import io

import numpy as np
import pytest
import shapely
from PIL import Image

from samgis_process.formats.sketch import COLOURS, MOST_SIDE, Mark, sketch

GREEN = (70, 110, 50)


def ground(rows=640, cols=800):
    return np.full((rows, cols, 3), GREEN, np.uint8)


def drawn(image, *marks, valid=None, attribution=""):
    known = np.ones(image.shape[:2], bool) if valid is None else valid
    picture = Image.open(io.BytesIO(sketch(image, known, marks, attribution)))
    assert picture.format == "PNG"
    return np.asarray(picture.convert("RGB")).astype(int)


def near(pixel, colour, within=30):
    return np.abs(np.subtract(pixel, colour)).max() < within


def test_a_window_without_marks_is_the_picture():
    assert (drawn(ground()) == GREEN).all()


def test_an_outline_is_drawn_in_its_objects_colour_and_its_area_is_tinted():
    pixels = drawn(ground(), Mark(), Mark(shapely.box(100, 100, 300, 200)))
    assert near(pixels[150, 100], COLOURS[1])
    assert near(pixels[100, 200], COLOURS[1])
    inside = pixels[150, 200]
    assert not near(inside, GREEN, 5)
    assert not near(inside, COLOURS[1])
    assert near(pixels[400, 600], GREEN, 1)


def test_holes_are_not_tinted():
    hole = shapely.box(150, 130, 250, 170)
    pixels = drawn(ground(), Mark(shapely.box(100, 100, 300, 200) - hole))
    assert near(pixels[150, 200], GREEN, 1)


def test_edges_are_without_steps():
    slanting = shapely.Polygon([(50, 50), (500, 190), (60, 300)])
    pixels = drawn(ground(), Mark(slanting))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 15  # without, it would be four


def test_points_to_include_and_to_exclude_look_different():
    pixels = drawn(ground(), Mark(points=[(200.5, 100.5, True), (400.5, 100.5, False)]))
    include, exclude = pixels[97, 197], pixels[97, 397]
    assert near(include, COLOURS[0])
    assert not near(exclude, COLOURS[0])
    assert exclude.max() < 80


def test_a_rectangle_is_dashed():
    pixels = drawn(ground(), Mark(boxes=[(100, 100, 300, 200)]))
    side = [near(pixel, COLOURS[0], 60) for pixel in pixels[100, 110:290]]
    assert 0.3 < np.mean(side) < 0.7
    assert near(pixels[150, 200], GREEN, 1)


def test_what_is_unknown_is_light():
    valid = np.ones((640, 800), bool)
    valid[:, :100] = False
    assert drawn(ground(), valid=valid)[300, 50].min() > 200


def test_marks_at_and_beyond_the_edge_are_cut():
    beyond = Mark(shapely.box(-50, -50, 900, 700), [(0, 0, True)], [(700, 600, 800, 640)])
    assert drawn(ground(), beyond).shape == (640, 800, 3)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((64, 128), (320, 640)), ((2000, 4000), (640, MOST_SIDE)), ((4, 4000), (1, MOST_SIDE))],
)
def test_small_windows_are_enlarged_and_large_ones_shrunk(shape, size):
    rows, cols = shape
    mark = Mark(shapely.box(cols / 4, 0, cols / 2, rows), [(cols / 2, rows / 2, True)])
    pixels = drawn(ground(*shape), mark)
    assert pixels.shape[:2] == size
    if rows > 4:
        assert near(pixels[size[0] // 2, size[1] // 4], COLOURS[0])


def test_the_attribution_stands_below_the_picture():
    plain, said = drawn(ground()), drawn(ground(), attribution="© somebody " * 30)
    assert (said[: len(plain)] == plain).all()
    assert said[len(plain) :].min() < 160
    assert said[len(plain) :, -4:].min() > 250
