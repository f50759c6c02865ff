import numpy as np
import pytest
import rasterio
from PIL import Image

from samgis_process.terrain import decode, plausible


def colours(*rgb):
    return np.array([rgb], np.uint8)


@pytest.mark.parametrize("metres", [-10_000.0, -415.5, 0.0, 0.25, 4000.0, 8848.75])
def test_terrarium_is_exact(metres):
    steps = round((metres + 32768) * 256)
    rgb = colours((steps >> 16, steps >> 8 & 255, steps & 255))
    assert decode(rgb, "terrarium")[0, 0] == metres


@pytest.mark.parametrize("metres", [-10_000.0, 0.0, 100.0, 4000.0, 8000.0])
def test_terrain_rgb_keeps_the_red_byte(metres):
    steps = round((metres + 10_000) * 10)
    rgb = colours((steps >> 16, steps >> 8 & 255, steps & 255))
    assert decode(rgb, "terrain-rgb")[0, 0] == pytest.approx(metres, abs=0.01)


def test_all_24_bits_of_a_real_raster_are_read(test_data):
    """Its writer counted millimetres from -100 m; the standard, tenths of a metre from -10000."""
    with rasterio.open(test_data / "dem" / "rgbify_elev_3857_float32.tif") as dataset:
        expected = dataset.read(1)
    with rasterio.open(test_data / "dem" / "rgbify_elev_terrainrgb_3857.tif") as dataset:
        rgb = dataset.read((1, 2, 3)).transpose(1, 2, 0)
    steps = (decode(rgb, "terrain-rgb").astype(np.float64) + 10_000) * 10
    assert np.abs(steps / 1000 - 100 - expected).max() < 0.005


def test_fuji_is_as_high_as_fuji(test_data):
    tile = Image.open(test_data / "tiles" / "fuji_terrainrgb_512.png").convert("RGB")
    assert decode(np.asarray(tile), "terrain-rgb").max() == pytest.approx(3751, abs=2)


def test_what_no_ground_can_be_is_no_data():
    metres = np.array([-32768, -12000, -11000, -430, 0, 8848, 9600, np.nan], np.float32)
    assert plausible(metres).tolist() == [False, False, True, True, True, True, False, False]


def test_black_is_no_data_in_terrain_rgb_alone():
    metres = np.array([-10_000, -9_999.9], np.float32)
    assert plausible(metres, "terrain-rgb").tolist() == [False, True]
    assert plausible(metres, "terrarium").tolist() == [True, True]


@pytest.mark.parametrize("encoding", ["terrarium", "terrain-rgb"])
def test_an_empty_tile_holds_no_ground(encoding):
    black = np.zeros((2, 3, 3), np.uint8)
    metres = decode(black, encoding)
    assert metres.dtype == np.float32
    assert metres.shape == (2, 3)
    assert not plausible(metres, encoding).any()
