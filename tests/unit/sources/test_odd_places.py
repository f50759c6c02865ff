"""Longitudes beyond 180, poles, orders of axes, names for the same place."""

import numpy as np
import pytest
from odd_rasters import HILL, RGB, opened, whole, write
from rasterio.transform import from_origin

from samgis_process.errors import InvalidInput
from samgis_process.grid import Bounds, GeoBox
from samgis_process.processes.windows import parse_bounds


@pytest.mark.parametrize(
    ("west", "step", "bounds"),
    [(351, 0.001, (-9, -8.84)), (170, 0.125, (170, -170)), (-190, 0.125, (170, -170)),
     (181, 0.01, (-179, -177.4)), (-181.6, 0.01, (178.4, 180))],
)  # fmt: skip
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857"])
def test_longitudes_wrap(tmp_path, west, step, bounds, crs):
    placed = from_origin(west, 10, step, step)
    if crs == "EPSG:3857":
        metres = 20037508.342789244 / 180
        placed = from_origin(west * metres, 10 * metres, step * metres, step * metres)
    source = opened(write(tmp_path / "a.tif", RGB, crs=crs, transform=placed))
    assert source.info.bounds[::2] == pytest.approx(bounds)
    raw = source.read(whole(source))
    assert raw.valid.mean() > 0.97
    # The disc lies where it is, half way between west and east and a little further south.
    rows, cols = np.nonzero(raw.bands[0] > 140)
    height, width = raw.valid.shape
    assert cols.mean() / width == pytest.approx(80 / 160, abs=0.02)
    assert rows.mean() / height == pytest.approx(90 / 160, abs=0.02)


def test_a_world_from_0_to_360_has_its_halves_in_place(tmp_path):
    halves = np.where(np.arange(360)[None] < 180, 50, 200) * np.ones((180, 1))
    path = write(tmp_path / "a.tif", halves.astype("u1"), crs="EPSG:4326",
                 transform=from_origin(0, 90, 1, 1))  # fmt: skip
    source = opened(path)
    assert source.info.bounds == Bounds(-180, source.info.bounds.south, 180,
                                        source.info.bounds.north)  # fmt: skip
    raw = source.read(GeoBox(1, 0, 0, 512, 512))
    assert raw.valid.all()
    assert (raw.bands[0][200, 40], raw.bands[0][200, 400]) == (200, 50)


def test_a_pole_in_the_middle_hides_no_zooms(tmp_path):
    path = write(tmp_path / "a.tif", HILL, crs="EPSG:3031",
                 transform=from_origin(-24e5, 24e5, 30_000, 30_000))  # fmt: skip
    info = opened(path).info
    assert whole(opened(path)).width >= 512
    assert info.native_zoom >= 2


@pytest.mark.parametrize(
    ("crs", "transform", "own"),
    [("EPSG:4258", from_origin(9, 46.1, 0.001, 0.0005), (46.03, 9.02, 46.09, 9.12)),
     ("EPSG:3035", from_origin(4_311_000, 3_220_000, 100, 100),
      (3_206_000, 4_313_000, 3_216_000, 4_323_000)),
     ("EPSG:6529", from_origin(500_000, 600_000, 33, 33), (502_000, 596_000, 504_000, 598_000))],
)  # fmt: skip
def test_a_window_in_the_own_crs_follows_the_order_of_its_axes(tmp_path, crs, transform, own):
    source = opened(write(tmp_path / "a.tif", RGB, crs=crs, transform=transform))
    bounds = parse_bounds({"bbox": own, "crs": crs}, source.info)
    inner = source.info.bounds
    assert inner.west < bounds.west < bounds.east < inner.east
    assert inner.south < bounds.south < bounds.north < inner.north


def test_a_compound_crs_has_the_name_of_its_plane(tmp_path):
    path = write(tmp_path / "a.tif", HILL, crs="EPSG:6529+6360",
                 transform=from_origin(500_000, 600_000, 33, 33))  # fmt: skip
    info = opened(path).info
    assert info.crs == "EPSG:6529"
    parse_bounds({"bbox": [502_000, 596_000, 504_000, 598_000], "crs": "EPSG:6529"}, info)
    with pytest.raises(InvalidInput, match=r"bbox\.crs"):
        parse_bounds({"bbox": [1, 1, 2, 2], "crs": "EPSG:32632"}, info)


def test_longitudes_count_from_the_meridian_of_the_system(tmp_path):
    """Paris, in grads: 2.5969 grads east of Greenwich, 2.3372 degrees."""
    placed = from_origin(1, 50, 0.01, 0.01)
    source = opened(write(tmp_path / "a.tif", RGB, crs="EPSG:4807", transform=placed))
    assert source.info.bounds.west == pytest.approx(2.3372 + 0.9, abs=0.01)
    assert source.info.bounds.east == pytest.approx(2.3372 + 0.9 * 2.6, abs=0.01)
    raw = source.read(whole(source))
    assert raw.valid.mean() > 0.97
    _, cols = np.nonzero(raw.bands[0] > 140)
    assert cols.mean() / raw.valid.shape[1] == pytest.approx(0.5, abs=0.02)
