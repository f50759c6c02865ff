"""The preview: a picture that opens, says what it shows, and has the picture inside."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from samgis_process.formats.preview import (
    EDGE,
    PANEL,
    Caption,
    drawable,
    in_words,
    preview,
    round_length,
)

CAPTION = Caption("Elevation of somewhere", "Terrain, zoom 12", "(c) Somebody")


def bar(colour, index):
    ramp = np.zeros((256, 3), np.uint8)
    ramp[:, index] = np.arange(256)
    return SimpleNamespace(
        colour=colour, title="Slope", unit="degree", low=0.0, high=60.0, ramp=ramp
    )


BARS = [bar("red", 0), bar("green", 1), bar("blue", 2)]


def drawn(shape, colour=(200, 100, 50), valid=None, bars=BARS, caption=CAPTION):
    image = np.full((*shape, 3), colour, np.uint8)
    known = np.ones(shape, bool) if valid is None else valid
    return Image.open(io.BytesIO(preview(image, known, bars, caption, 30.0)))


def count(picture, colour):
    return int((np.asarray(picture) == colour).all(axis=2).sum())


@pytest.mark.parametrize(
    ("shape", "size"),
    [((600, 800), (800, 600)), ((1500, 3000), (1024, 512)), ((1, 1), (512, 512))],
)
def test_the_picture_is_shown_in_a_size_to_look_at(shape, size):
    sheet = drawn(shape)
    assert sheet.format == "PNG"
    assert count(sheet, (200, 100, 50)) == size[0] * size[1]
    assert sheet.width == size[0] + PANEL + 3 * EDGE
    assert sheet.height > size[1]


@pytest.mark.parametrize("shape", [(2, 3000), (3000, 2), (3, 3)])
def test_strips_and_single_cells_are_drawn_too(shape):
    sheet = drawn(shape)
    assert max(sheet.size) < 2000
    assert count(sheet, (200, 100, 50)) > 0


def test_what_is_unknown_is_grey_and_named_in_the_legend():
    valid = np.ones((600, 600), bool)
    valid[:300] = False
    whole, half = drawn((600, 600)), drawn((600, 600), valid=valid)
    assert count(half, (200, 100, 50)) == 600 * 300
    assert count(whole, (236, 238, 241)) == 0
    assert count(half, (236, 238, 241)) > 600 * 300  # and the legend's field


def test_each_channel_has_a_colour_bar():
    for index, one in enumerate(BARS):
        full = [0, 0, 0]
        full[index] = 255
        assert count(drawn((600, 600), bars=[one]), full) > 0
        assert count(drawn((600, 600), bars=[]), full) == 0


def test_long_words_widen_nothing():
    long = CAPTION._replace(attribution="Terrain by many, many people. " * 60)
    assert drawn((600, 600), caption=long).width == drawn((600, 600)).width
    assert drawn((600, 600), caption=long).height > drawn((600, 600)).height


@pytest.mark.parametrize(
    ("most", "length"), [(1, 1), (1.99, 1), (34, 20), (5000, 5000), (0.3, 0.2)]
)
def test_scale_bars_have_round_lengths(most, length):
    assert round_length(most) == pytest.approx(length)


def test_lengths_are_said_with_their_unit():
    assert [in_words(m) for m in (0.5, 20, 5000)] == ["50 cm", "20 m", "5 km"]


def test_letters_that_the_font_lacks_are_spelt_otherwise():
    assert drawable("© Größe in Łódź 山") == "© Grosse in Lodz ?"
