from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image, ImageDraw
from shapely.geometry import Point, Polygon, box, shape
from shapely.ops import unary_union

from samgis_process.grid import GeoBox, LngLat
from samgis_process.sources import sample
from samgis_process.sources.sample.files import GRID
from samgis_process.sources.sample.paint import imagery
from samgis_process.sources.sample.relief import elevation

# What the other process draws is kept, so that a second drawing need not be waited for.
OTHER = """
from pathlib import Path
import numpy as np
from samgis_process.sources.sample import files
directory, kept, draw = Path({directory!r}), {kept!r}, files.imagery

def imagery(*args):
    picture = draw(*args)
    np.save(kept, picture)
    return picture

files.imagery = imagery
files.make(directory)
"""


@dataclass(frozen=True)
class Drawn:
    files: sample.SampleFiles
    here: np.ndarray
    there: np.ndarray


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The scene, made by two processes in one directory at the same time."""
    directory, kept = tmp_path_factory.mktemp("sample"), tmp_path_factory.mktemp("kept") / "a.npy"
    pictures = []

    def draw(*args):
        pictures.append(imagery(*args))
        return pictures[0]

    code, root = OTHER.format(directory=str(directory), kept=str(kept)), Path(sample.__file__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("samgis_process.sources.sample.files.imagery", draw)
        with subprocess.Popen([sys.executable, "-c", code], cwd=root.parents[3]) as other:
            files = sample.make(directory)
        assert other.returncode == 0
    return Drawn(files, pictures[0], np.load(kept))


@pytest.fixture(scope="module")
def files(drawn):
    return drawn.files


@pytest.fixture(scope="module")
def picture(files):
    with rasterio.open(files.imagery) as dataset:
        return dataset.read().transpose(1, 2, 0)


@pytest.fixture(scope="module")
def features():
    return {f["properties"]["name"]: f for f in sample.truth()["features"]}


def pixels(ring) -> np.ndarray:
    at = np.array(ring.coords)
    return np.column_stack(GRID.pixels(at[:, 0], at[:, 1]))


def mask(feature) -> np.ndarray:
    """Which pixels a truth outline covers by more than half, found from lng, lat alone."""
    outline, fine = shape(feature["geometry"]), 4
    image = Image.new("L", (GRID.width * fine, GRID.height * fine))
    draw = ImageDraw.Draw(image)
    for ring, value in [(outline.exterior, 255), *((hole, 0) for hole in outline.interiors)]:
        draw.polygon([tuple(p) for p in pixels(ring) * fine - 0.5], fill=value)
    return np.asarray(image.reduce(fine)) > 127


def iou(one, other) -> float:
    return (one & other).sum() / (one | other).sum()


def flood(picture, col: int, row: int, tolerance: int) -> np.ndarray:
    """What is 4-connected to a pixel through colours within `tolerance` of its own."""
    seed = picture[row, col].astype(int)
    alike = (np.abs(picture.astype(int) - seed) <= tolerance).all(axis=-1)
    image = Image.fromarray(np.where(alike, 255, 0).astype(np.uint8))
    ImageDraw.floodfill(image, (col, row), 128)
    return np.asarray(image) == 128


def test_the_files_lie_exactly_on_the_tiles_of_zoom_16(files):
    with rasterio.open(files.imagery) as image, rasterio.open(files.elevation) as dem:
        assert image.crs == dem.crs == "EPSG:3857"
        assert image.transform.almost_equals(GRID.transform, precision=1e-9)
        assert (image.dtypes, image.shape) == (("uint8",) * 3, (2048, 2048))
        assert (dem.dtypes, dem.shape) == (("float32",), (1024, 1024))
        assert dem.bounds == pytest.approx(image.bounds)
        assert np.isnan(dem.nodata)
        for dataset in (image, dem):
            assert dataset.block_shapes[0] == (512, 512)
            assert dataset.overviews(1) == [2, 4, 8]
            assert dataset.compression.name == "deflate"
    assert GeoBox.around(sample.BOUNDS, sample.ZOOM) == GRID
    assert next(iter(GRID.tiles())) == (27_379, 24_503)


def test_two_processes_draw_the_same_pixels(drawn):
    assert np.array_equal(drawn.here, drawn.there)


def test_two_processes_at_once_leave_whole_files_and_nothing_else(drawn, picture):
    assert set(drawn.files.imagery.parent.iterdir()) == {
        drawn.files.imagery,
        drawn.files.elevation,
    }
    assert np.array_equal(picture, drawn.here)
    with rasterio.open(drawn.files.elevation) as dataset:
        assert np.array_equal(dataset.read(1), elevation())


def test_it_is_not_drawn_when_it_is_there(files):
    before = files.imagery.stat().st_mtime_ns
    assert sample.make(files.imagery.parent, pytest.fail) == files
    assert files.imagery.stat().st_mtime_ns == before


def test_progress_is_told_and_never_runs_back(monkeypatch, tmp_path):
    told: list[tuple[str, float | None]] = []
    monkeypatch.setattr(
        "samgis_process.sources.sample.files.imagery",
        lambda *_args: np.zeros((2048, 2048, 3), np.uint8),
    )
    sample.make(tmp_path, lambda message, part: told.append((message, part)))
    parts = [part for _, part in told]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0.0, 1.0)


def test_the_truth_is_valid_unique_and_inside_the_bounds(features):
    west, south, east, north = sample.BOUNDS
    scene = box(west, south, east, north).buffer(1e-7)
    assert len(features) == len(sample.truth()["features"])
    for feature in features.values():
        outline = shape(feature["geometry"])
        assert isinstance(outline, Polygon)
        assert outline.is_valid
        assert outline.within(scene)
        assert outline.exterior.is_ccw
        assert not any(hole.is_ccw for hole in outline.interiors)


def test_every_kind_of_object_is_there(features):
    kinds = [feature["properties"]["kind"] for feature in features.values()]
    least = {"volcano": 1, "lake": 2, "river": 2, "road": 5, "wood": 6, "roof": 40, "field": 150}
    assert {kind: kinds.count(kind) >= number for kind, number in least.items()} == dict.fromkeys(
        least, True
    )


def test_what_lies_above_is_cut_out_of_what_lies_below(features):
    lake, island = (shape(features[n]["geometry"]) for n in ("Heron Lake", "Gull Island"))
    assert len(lake.interiors) == 1
    assert lake.intersection(island).area < 1e-3 * island.area
    outlines = [
        shape(f["geometry"]) for f in features.values() if f["properties"]["kind"] != "volcano"
    ]
    total = sum(outline.area for outline in outlines)
    assert unary_union(outlines).area == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("name", ["Heron Lake", "Mirror Pond"])
def test_the_truth_lies_on_the_painted_water(picture, features, name):
    # Water is the only thing here that is bluer than it is red, and bluer than green allows.
    inside = mask(features[name])
    edge = pixels(shape(features[name]["geometry"]).exterior)
    ring = np.asarray(Polygon(edge).exterior.coords)
    outward = Polygon(ring).buffer(2.5).exterior
    inward = Polygon(ring).buffer(-2.5).exterior
    blue = picture[..., 2].astype(int) - picture[..., 0]
    steps = [
        np.median([blue[int(p.y), int(p.x)] for p in sampled(line)]) for line in (inward, outward)
    ]
    assert steps[0] - steps[1] > 20
    assert np.median(blue[inside]) > 10


def sampled(line, step: float = 2.0) -> list[Point]:
    return [line.interpolate(s) for s in np.arange(0, line.length, step)]


def test_a_shift_of_the_truth_by_a_pixel_would_be_noticed(picture, features):
    # The edge between lake and land is sharpest where the truth says, not a pixel off.
    green = picture[..., 2].astype(float) - picture[..., 0]
    outline = Polygon(pixels(shape(features["Heron Lake"]["geometry"]).exterior))

    def contrast(east: float, south: float) -> float:
        lines = (outline.buffer(-1.5).exterior, outline.buffer(1.5).exterior)
        inner, outer = (
            np.mean([green[int(p.y + south), int(p.x + east)] for p in sampled(line)])
            for line in lines
        )
        return inner - outer

    shifted = [contrast(east, south) for east, south in [(2, 0), (-2, 0), (0, 2), (0, -2)]]
    assert contrast(0, 0) > max(shifted)


@pytest.mark.parametrize("click", [(560, 1340), (480, 1250), (770, 1340), (560, 1520)])
def test_colour_alone_does_not_find_the_lake(picture, features, click):
    lake = mask(features["Heron Lake"])
    assert lake[click[1], click[0]]
    assert iou(flood(picture, *click, tolerance=22), lake) < 0.8


def test_the_volcano_has_a_summit_on_the_rim_of_a_crater(files, features):
    outline = Polygon(pixels(shape(features["Mount Ember"]["geometry"]).exterior))
    with rasterio.open(files.elevation) as dataset:
        height = dataset.read(1)
    assert np.isfinite(height).all()
    row, col = np.unravel_index(height.argmax(), height.shape)
    summit, centre = Point(2 * col + 1, 2 * row + 1), Point(1560, 520)
    assert outline.contains(summit)
    assert 30 < summit.distance(centre) < 70
    floor = height[260, 780]
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    rim = [height[int(260 + 25 * np.sin(a)), int(780 + 25 * np.cos(a))] for a in turn]
    foot = [height[int(260 + 190 * np.sin(a)), int(780 + 190 * np.cos(a))] for a in turn]
    assert floor < min(rim) - 15
    assert max(foot) < floor - 100


def test_the_lake_is_level_in_the_elevation(files, features):
    inside = mask(features["Heron Lake"])[1::2, 1::2]
    with rasterio.open(files.elevation) as dataset:
        assert np.ptp(dataset.read(1)[inside]) < 3


def test_it_lies_in_the_open_atlantic():
    assert sample.BOUNDS.contains(LngLat(-29.58, 41.26))
