"""A cache that is damaged, full, read-only or gone costs time, never an answer."""

import shutil
import subprocess
from contextlib import contextmanager

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from samgis_process.grid import GeoBox, Pixel
from samgis_process.ogc.process import Context
from samgis_process.server.wiring import build_services
from samgis_process.settings import parse

resource = pytest.importorskip("resource", reason="file size limits are a matter of Unix")
GRID = GeoBox(15, 34_400 * 128 + 37, 23_100 * 128 + 11, 256, 256)
HOUSE = (180, 30, 220, 62)  # left, top, right, bottom in pixels
KEPT_LITTLE = 300_000  # bytes; an embedding takes 2 MB


@pytest.fixture(scope="module")
def raster(tmp_path_factory):
    path = tmp_path_factory.mktemp("scene") / "scene.tif"
    image = np.full((3, 256, 256), 60, np.uint8)
    left, top, right, bottom = HOUSE
    image[:, top:bottom, left:right] = 200
    x, y = GRID.transform @ (0, 0)
    place = from_origin(x, y, GRID.resolution, GRID.resolution)
    profile = {"driver": "GTiff", "count": 3, "height": 256, "width": 256, "dtype": "uint8"}
    with rasterio.open(path, "w", crs="EPSG:3857", transform=place, **profile) as dataset:
        dataset.write(image)
    return path


@pytest.fixture
def ask(raster, tiny_model_dir):
    """Run `segment` with the cache in a directory."""
    lng, lat = GRID.lnglat(Pixel(200, 46))
    prompt = [{"type": "point", "data": {"lng": lng, "lat": lat}}]
    known = {}

    def run(directory):
        if directory not in known:
            section = {
                "models": {"default": "tiny", "directory": str(tiny_model_dir.parent)},
                "cache": {"directory": str(directory)},
                "default_source": "scene",
                "sources": {"scene": {"type": "raster", "path": str(raster)}},
            }
            known[directory] = build_services(parse(section, directory)).processes["segment"]
        inputs = {"bbox": list(GRID.bounds), "zoom": 15, "prompt": prompt}
        return known[directory].run(inputs, Context("one"))["features"].value

    return run


@contextmanager
def small_filesystem(directory, size, unavailable):
    """A file system of its own, which only root may have."""
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        unavailable("no file system can be mounted here: it takes root")
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@contextmanager
def no_long_files(size):
    """Let this process write no file longer than `size`: to a program, a full disk for anyone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def states(*answers):
    return [answer["samgis"]["cache"] for answer in answers]


@pytest.mark.parametrize("store", ["embeddings", "prefixes"])
def test_a_flipped_byte_is_noticed_and_healed(ask, tmp_path, store):
    first = ask(tmp_path / "cache")
    (path,) = (tmp_path / "cache" / store).glob("*.blob")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    second, third = ask(tmp_path / "cache"), ask(tmp_path / "cache")
    expected = "miss" if store == "embeddings" else "hit"
    assert states(first, second, third) == ["miss", expected, "hit"]
    assert first["features"] == second["features"] == third["features"]
    assert path.read_bytes() != bytes(data)


def warned(answer, reason):
    kept = f"the embedding could not be kept: {reason}"
    return kept in answer["samgis"]["warnings"]


def test_a_full_disk_is_answered_without_the_cache_and_said(ask, tmp_path, unavailable):
    with small_filesystem(tmp_path / "cache", KEPT_LITTLE, unavailable) as cache:
        first, second = ask(cache), ask(cache)
        assert states(first, second) == ["miss", "miss"]
        assert warned(first, "No space left on device")
        assert not list(cache.rglob("*.tmp"))
    third = ask(tmp_path / "elsewhere")
    assert first["features"] == second["features"] == third["features"]
    assert not third["samgis"]["warnings"]


def test_a_disk_that_takes_no_more_recovers(ask, tmp_path):
    with no_long_files(KEPT_LITTLE):
        assert warned(ask(tmp_path / "cache"), "File too large")
    answers = ask(tmp_path / "cache"), ask(tmp_path / "cache")
    assert states(*answers) == ["miss", "hit"]
    assert not answers[0]["samgis"]["warnings"]


def test_a_cache_that_may_only_be_read_is_read(ask, tmp_path, unavailable):
    with small_filesystem(tmp_path / "cache", "20m", unavailable) as cache:
        ask(cache)
        subprocess.run(["mount", "-o", "remount,ro", str(cache)], check=True)
        assert states(ask(cache)) == ["hit"]
        (path,) = (cache / "embeddings").glob("*.blob")
        subprocess.run(["mount", "-o", "remount,rw", str(cache)], check=True)
        path.write_bytes(path.read_bytes()[:-1])
        subprocess.run(["mount", "-o", "remount,ro", str(cache)], check=True)
        answer = ask(cache)
        assert states(answer) == ["miss"]
        assert warned(answer, "Read-only file system")


def test_a_cache_that_vanishes_is_made_again(ask, tmp_path):
    ask(tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    assert states(ask(tmp_path / "cache"), ask(tmp_path / "cache")) == ["miss", "hit"]


def test_a_cache_in_whose_place_a_file_lies_is_done_without(ask, tmp_path):
    ask(tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("in the way")
    assert warned(ask(tmp_path / "cache"), "Not a directory")
