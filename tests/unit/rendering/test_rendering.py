import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from samgis_process.errors import InvalidInput
from samgis_process.rendering import RGB_TILES, Bands, Span, draw, echo, names, parse
from samgis_process.rendering.draw import NOTHING

DEEP = Bands((None,) * 8, (1, 2, 3), 4, surveyed=True)  # uint16
BYTES = Bands((Span(0.0, 255.0),) * 4, (1, 2, 3), 4, surveyed=True)
GREY = Bands((None,), (1,), None, surveyed=True)
KINDS = (DEEP, BYTES, GREY, RGB_TILES)


def refusal(value, bands=DEEP):
    with pytest.raises(InvalidInput) as caught:
        parse(value, bands, "here")
    (fault,) = caught.value.faults
    assert fault.input == "rendering"
    return f"{fault.message} | {fault.limit}"


def drawn(value, pixels, bands=BYTES, spans=None):
    rendering = parse(value, bands, "here")
    chosen = pixels[[band - 1 for band in rendering.bands]]
    valid = np.ones(pixels.shape[1:], bool)
    return draw(chosen, valid, rendering, spans or {})


@pytest.fixture
def pixels():
    return np.random.default_rng(1).integers(0, 256, (4, 7, 5), np.uint8)


def test_bytes_are_passed_as_they_are(pixels):
    np.testing.assert_array_equal(drawn(None, pixels), pixels[:3].transpose(1, 2, 0))
    np.testing.assert_array_equal(
        drawn({"bands": [4, 1, 2]}, pixels), pixels[[3, 0, 1]].transpose(1, 2, 0)
    )


def test_false_colour_is_near_infrared_red_green(pixels):
    np.testing.assert_array_equal(
        drawn("false-colour", pixels), pixels[[3, 0, 1]].transpose(1, 2, 0)
    )
    named = Bands((Span(0.0, 255.0),) * 4, (4, 3, 2), 1)
    np.testing.assert_array_equal(
        drawn("false-colour", pixels, named), pixels[[0, 3, 2]].transpose(1, 2, 0)
    )


@pytest.mark.parametrize("bands", [*KINDS, Bands(natural=(1,), metres=1.0)])
def test_a_source_has_the_renderings_that_are_named_for_it(bands):
    for name in names(bands):
        parse(name, bands, "here")
    assert ("false-colour" in names(bands)) == (bands.nir is not None)
    assert ("relief" in names(bands)) == (bands.metres is not None)


def test_grey_is_the_luma_of_the_plain_picture(pixels):
    image = drawn("grey", pixels)
    expected = pixels[0] * 0.299 + pixels[1] * 0.587 + pixels[2] * 0.114
    assert (image == image[..., :1]).all()
    assert np.abs(image[..., 0] - expected).max() <= 0.51


def test_a_stretch_draws_its_ends_as_black_and_full():
    ramp = np.arange(-20, 120, dtype=np.int16).reshape(1, 1, -1)
    image = drawn({"bands": [1], "stretch": [[0, 100]]}, ramp, GREY)[0, :, 0]
    assert (image[:21] == 0).all()
    assert (image[120:] == 255).all()
    assert image[20 + 50] == 128
    assert (np.diff(image.astype(int)) >= 0).all()


def test_large_integers_keep_their_last_digits():
    values = np.uint32(4_000_000_000) + np.arange(256, dtype=np.uint32).reshape(1, 1, -1)
    stretch = [[4_000_000_000, 4_000_000_255]]
    image = drawn({"bands": [1], "stretch": stretch}, values, GREY)
    np.testing.assert_array_equal(image[0, :, 0], np.arange(256))


def test_a_normalised_difference_spans_minus_one_to_one():
    bands = np.array([[[0, 10, 30, 0]], [[20, 10, 10, 0]]], np.uint8)
    image = drawn({"bands": [{"nd": [1, 2]}]}, bands)
    assert image[0, :, 0].tolist() == [0, 128, 191, 128]
    narrow = drawn({"bands": [{"nd": [1, 2]}], "stretch": [[0, 0.5]]}, bands)
    assert narrow[0, :, 0].tolist() == [0, 0, 255, 0]


def test_where_nothing_is_valid_nothing_is_seen(pixels):
    rendering = parse(None, BYTES, "here")
    valid = np.arange(35).reshape(7, 5) % 2 == 0
    image = draw(pixels[:3], valid, rendering, {})
    assert (image[~valid] == NOTHING).all()


def test_values_that_are_no_numbers_are_drawn_without_a_warning():
    odd = np.array([[[math.nan, math.inf, -math.inf, 1e308, -1e308]]])
    image = drawn({"bands": [1], "stretch": [[-1e30, 1e30]]}, odd, GREY)
    assert image[0, :, 0].tolist() == [128, 255, 0, 255, 0]
    tiny = drawn({"bands": [1], "stretch": [[0, 1e-300]]}, odd, GREY)
    assert tiny[0, 1, 0] == 255


def test_names_and_objects_that_mean_the_same_have_one_key():
    def key(value, bands=BYTES):
        return parse(value, bands, "here").key

    same = (
        None,
        "rgb",
        {},
        {"bands": [1, 2, 3]},
        {"bands": [1.0, 2, 3], "stretch": "none"},
        {"bands": (1, 2, 3), "stretch": [[-0.0, 255]]},
        {"bands": [1, 2, 3], "stretch": [[0, 255]] * 3},
    )
    assert len({key(value) for value in same}) == 1
    assert key("grey") != key("rgb")
    assert key({"bands": [4]}) == key({"bands": [4, 4, 4]})
    assert key("rgb", DEEP) == key({"stretch": [2, 98]}, DEEP) != key("rgb")
    assert key({"stretch": "minmax"}) == key({"stretch": [0, 100]}) != key({"stretch": [[0, 100]]})
    assert key("grey", GREY) == key("rgb", GREY)


@pytest.mark.parametrize("bands", KINDS)
def test_the_echo_asks_for_the_same_again(bands):
    values = ["rgb", "grey", {"bands": [1]}, {"stretch": "none"}, {"stretch": [[0.5, 9]]}]
    if bands.count > 2:
        values += [{"bands": [2, 1, 3]}, {"bands": [{"nd": [2, 1]}, 2, 3]}]
    if bands.surveyed:
        values += [{"stretch": "minmax"}, {"stretch": [1, 99.5]}]
    for value in values:
        rendering = parse(value, bands, "here")
        again = echo(rendering, bands, "here")
        assert parse(again, bands, "here") == rendering, value
    assert echo(parse({"bands": list(bands.natural)}, bands, "h"), bands, "h") == "rgb"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("sepia", "'sepia' is none of the renderings | rgb, grey, false-colour, or"),
        (7, "neither a name nor an object"),
        ({"band": [1]}, "unknown member 'band' | bands, stretch"),
        ({"bands": [1, 2]}, "no list of 1 or 3"),
        ({"bands": []}, "no list of 1 or 3"),
        ({"bands": "123"}, "no list of 1 or 3"),
        ({"bands": [1, 2, 9]}, "band 9 does not exist | here has 8 bands"),
        ({"bands": [0]}, "band 0 does not exist | here has 8 bands"),
        ({"bands": [-1]}, "band -1 does not exist"),
        ({"bands": [10**400]}, "does not exist"),
        ({"bands": [1.5]}, "no whole number | here has 8 bands"),
        ({"bands": [math.nan]}, "no whole number"),
        ({"bands": [True]}, "no whole number"),
        ({"bands": ["1"]}, "no whole number"),
        ({"bands": [{"nd": [1]}]}, 'no normalised difference | {"nd": [a, b]}'),
        ({"bands": [{"nd": [1, 2], "x": 1}]}, "no normalised difference"),
        ({"bands": [{"nd": [3, 3]}]}, "minus itself"),
        ({"bands": [{"nd": [1, 9]}]}, "band 9 does not exist"),
        ({"stretch": "log"}, "no known kind"),
        ({"stretch": 5}, "no known kind"),
        ({"stretch": []}, "no known kind"),
        ({"stretch": [2]}, "not two finite numbers"),
        ({"stretch": [2, "98"]}, "not two finite numbers"),
        ({"stretch": [50, 50]}, "no pair of percentiles | 0 <= low < high <= 100"),
        ({"stretch": [98, 2]}, "no pair of percentiles"),
        ({"stretch": [-1, 2]}, "no pair of percentiles"),
        ({"stretch": [0, 3000]}, "no pair of percentiles"),
        ({"stretch": [[5, 5]]}, "no range of values | low < high"),
        ({"stretch": [[9, 5]]}, "no range of values"),
        ({"stretch": [[0, math.inf]]}, "not two finite numbers"),
        ({"stretch": [[0, 10**400]]}, "not two finite numbers"),
        ({"stretch": [[math.nan, 1]]}, "not two finite numbers"),
        ({"stretch": [[0, 1], [0, 1]]}, "2 pairs for 3 bands | one pair for all"),
        ({"stretch": [[0, 1], 5, 6]}, "not two finite numbers"),
        ({"stretch": [[0, True]]}, "not two finite numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_limit(value, words):
    assert words in refusal(value)


def test_a_layer_of_tiles_has_three_bands_and_no_percentiles():
    assert "layer of tiles" in refusal({"stretch": [2, 98]}, RGB_TILES)
    assert "layer of tiles" in refusal({"stretch": "minmax"}, RGB_TILES)
    assert "here has 3 bands" in refusal("false-colour", RGB_TILES)
    assert "here has 3 bands" in refusal({"bands": [4]}, RGB_TILES)
    assert "here has 1 band" in refusal({"bands": [2]}, GREY)
    parse({"bands": [{"nd": [2, 1]}], "stretch": [[0, 0.4]]}, RGB_TILES, "here")


numbers = st.floats(-1e3, 1e3) | st.integers(-1000, 1000)
pairs = st.tuples(numbers, numbers).filter(lambda pair: pair[0] < pair[1]).map(list)
percentiles = st.tuples(st.integers(0, 99), st.integers(1, 100)).filter(lambda p: p[0] < p[1])
components = st.integers(1, 4) | st.permutations([1, 2, 3, 4]).map(lambda p: {"nd": list(p[:2])})


@st.composite
def objects(draw):
    bands = draw(st.lists(components, min_size=3, max_size=3) | st.tuples(components).map(list))
    many = st.lists(pairs, min_size=len(bands), max_size=len(bands))
    stretch = st.sampled_from(["none", "minmax"]) | percentiles.map(list) | many
    return {"bands": bands, "stretch": draw(stretch | pairs.map(lambda pair: [pair]))}


values = objects() | st.sampled_from([None, "rgb", "grey", "false-colour"])


@given(values, values, st.sampled_from([DEEP, BYTES]))
def test_keys_are_equal_exactly_if_the_renderings_are(one, other, bands):
    first, second = parse(one, bands, "h"), parse(other, bands, "h")
    assert (first == second) == (first.key == second.key)
    assert parse(echo(first, bands, "h"), bands, "h").key == first.key


@given(objects(), objects(), st.integers(0, 2**32 - 1))
def test_equal_keys_draw_equal_pictures(one, other, seed):
    pixels = np.random.default_rng(seed).integers(0, 1000, (8, 1, 1)) * np.ones((1, 2, 2))
    first, second = parse(one, DEEP, "h"), parse(other, DEEP, "h")
    assume(not first.surveys and not second.surveys)
    pictures = [
        draw(pixels[[b - 1 for b in r.bands]], np.ones((2, 2), bool), r, {})
        for r in (first, second)
    ]
    if first.key == second.key:
        np.testing.assert_array_equal(*pictures)
    assert pictures[0].dtype == np.uint8
    assert pictures[0].shape == (2, 2, 3)
