"""`samgis-process segment` on pictures of the user's own: outlines, files, exit codes, Ctrl-C."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import geopandas
import numpy as np
import onnx
import pytest
import rasterio
import shapely
from click.testing import CliRunner
from PIL import Image
from rasterio.transform import from_origin

from samgis_process.cli import main
from samgis_process.grid import GeoBox
from samgis_process.inference.catalogue import ENCODER, read_manifest
from samgis_process.weights.build import describe

# The picture: 256 x 256 pixels of zoom 15, with a lake and a house on grass.
GRID = GeoBox(15, 34_400 * 128 + 37, 23_100 * 128 + 11, 256, 256)
LAKE, HOUSE = (40, 60, 120, 150), (180, 30, 220, 62)  # left, top, right, bottom in pixels


def at(col, row):
    lng, lat = GRID.lnglats(np.array([col]), np.array([row]))
    return f"{lng[0]:.9f},{lat[0]:.9f}"


def around(box):
    left, top, right, bottom = box
    return f"{at(left, bottom)},{at(right, top)}"


ON_LAKE, ON_HOUSE, ON_GRASS = at(80, 105), at(200, 46), at(20, 20)
WHOLE = around((0, 0, 256, 256))


def iou(feature, box):
    found = shapely.geometry.shape(feature["geometry"])
    true = shapely.box(*map(float, around(box).split(",")))
    return found.intersection(true).area / found.union(true).area


@pytest.fixture(scope="module")
def image():
    pixels = np.empty((256, 256, 3), np.uint8)
    pixels[:] = (70, 110, 50)
    for (left, top, right, bottom), colour in ((LAKE, (30, 60, 140)), (HOUSE, (190, 80, 60))):
        pixels[top:bottom, left:right] = colour
    return pixels


@pytest.fixture(scope="module")
def write_tiff(image):
    def write(path, side=256, **options):
        x, y = GRID.transform @ (0, 0)
        place = from_origin(x, y, GRID.resolution, GRID.resolution)
        how = {"driver": "GTiff", "count": 3, "dtype": "uint8", "crs": "EPSG:3857", **options}
        with rasterio.open(path, "w", width=side, height=side, transform=place, **how) as file:
            file.write(image.transpose(2, 0, 1), window=((0, 256), (0, 256)))
        return path

    return write


@pytest.fixture
def scene(write_tiff, tmp_path):
    return write_tiff(tmp_path / "scene.tif")


@pytest.fixture(scope="module")
def slow_tiles(script):
    """Tiles that never come."""
    asked, go_on = threading.Event(), threading.Event()

    def respond(_path):
        asked.set()
        go_on.wait(60)

    with script("tile_server").TileServer(respond=respond) as server:
        server.is_asked = asked
        yield server
        go_on.set()


@pytest.fixture
def command(script, tiny_model_dir, slow_tiles, tmp_path):
    """Return the command line; `model` is the directory of another model."""
    sources = {
        "sample": {"type": "sample"},
        "slow": {"type": "xyz", "url": f"{slow_tiles.url}/{{z}}/{{x}}/{{y}}.png"},
        "dead": {"type": "xyz", "url": "http://127.0.0.1:9/{z}/{x}/{y}.png", "retries": 0},
    }

    def line(*arguments, model=tiny_model_dir):
        path = tmp_path / "config.yml"
        config = script("server_process").configure(path, model, tmp_path / "cache", sources)
        # No setting of whoever runs the tests counts.
        start = ["env", "-u", "SAMGIS_MODELS_DIR", sys.executable, "-m", "samgis_process"]
        return [*start, "--config", config, "segment", *map(str, arguments)]

    return line


@pytest.fixture
def segment(command, monkeypatch):
    """Run the command line in this process, which is faster than in one of its own."""
    monkeypatch.delenv("SAMGIS_MODELS_DIR", raising=False)

    def run(*arguments, **how):
        line = command(*arguments, **how)
        return CliRunner().invoke(main, line[line.index("--config") :])

    return run


def collection(done):
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_click_on_a_geotiff_prints_its_outline_and_nothing_else(command, scene):
    line = command(scene, "--point", ON_LAKE)
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (lake,) = json.loads(done.stdout)["features"]
    assert iou(lake, LAKE) > 0.95


def test_boxes_are_objects_of_their_own_and_ids_follow_their_order(segment, scene):
    done = segment(scene, "--box", around(HOUSE), "--box", around(LAKE), "--exclude", ON_GRASS)
    house, lake = collection(done)["features"]
    assert iou(house, HOUSE) > 0.9
    assert iou(lake, LAKE) > 0.9


def test_options_reach_the_process(segment, scene):
    points = ("--point", ON_LAKE, "--point", ON_HOUSE)
    found = collection(segment(scene, *points, "--separate", "--min-area", 3e4, "--quiet"))
    (lake,) = found["features"]
    assert iou(lake, LAKE) > 0.95


def test_the_second_run_on_a_picture_encodes_nothing(segment, scene):
    first = collection(segment(scene, "--point", ON_LAKE))["samgis"]
    second = collection(segment(scene, "--point", ON_HOUSE))["samgis"]
    assert (first["cache"], second["cache"]) == ("miss", "hit")
    assert first["timings_ms"]["encode"] > 0 == second["timings_ms"]["encode"]


def test_a_window_of_a_raster_of_any_size_is_read(segment, write_tiff, tmp_path):
    side = 40_000  # 4.8 GB of pixels, were they there
    huge = write_tiff(tmp_path / "huge.tif", side, tiled=True, sparse_ok=True, compress="deflate")
    (lake,) = collection(segment(huge, "--bbox", WHOLE, "--point", ON_LAKE))["features"]
    assert iou(lake, LAKE) > 0.95


@pytest.mark.parametrize("name", ["scene.png", "scene.jpg"])
def test_a_picture_without_a_place_is_put_where_bbox_says(segment, image, tmp_path, name):
    Image.fromarray(image).save(tmp_path / name)
    done = segment(tmp_path / name, "--bbox", *WHOLE.split(","), "--point", ON_HOUSE)
    (house,) = collection(done)["features"]
    assert iou(house, HOUSE) > 0.8


def test_a_file_is_written_whole_and_nothing_is_printed(segment, scene, tmp_path):
    for name in ("lake.geojson", "lake.json"):
        done = segment(scene, "--point", ON_LAKE, "--out", tmp_path / name)
        assert (done.exit_code, done.stdout) == (0, "")
        (lake,) = json.loads((tmp_path / name).read_text())["features"]
        assert iou(lake, LAKE) > 0.95
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("ending", [".gpkg", ".fgb", ".parquet"])
def test_a_table_of_features_is_written(segment, scene, tmp_path, ending):
    out = tmp_path / f"found{ending}"
    done = segment(scene, "--point", ON_LAKE, "--out", out)
    assert (done.exit_code, done.output) == (0, "")
    read = geopandas.read_parquet if ending == ".parquet" else geopandas.read_file
    (lake,) = read(out).geometry
    assert iou({"geometry": lake}, LAKE) > 0.95


def test_a_raster_of_labels_and_a_picture_are_written(segment, scene, tmp_path):
    boxes = ("--box", around(HOUSE), "--box", around(LAKE))
    for ending in (".tif", ".tiff", ".png"):
        done = segment(scene, *boxes, "--min-score", 0.99, "--out", tmp_path / f"o{ending}")
        assert done.exit_code == 0, done.output
        assert "left out, its score is" in done.stderr
    for ending in (".tif", ".tiff"):
        assert segment(scene, *boxes, "--out", tmp_path / f"o{ending}").exit_code == 0
        with rasterio.open(tmp_path / f"o{ending}") as file:
            labels = file.read(1)
        found = [labels[row, col] for col, row in ((20, 20), (200, 46), (80, 105))]
        assert found == [0, 1, 2]
    with Image.open(tmp_path / "o.png") as picture:
        assert picture.format == "PNG"


def test_what_the_answer_warns_of_is_said(segment, scene):
    done = segment(scene, "--point", ON_LAKE, "--min-score", 1)
    assert collection(done)["features"] == []
    assert "object 0: left out, its score is" in done.stderr


def test_elevation_is_drawn_as_terrain(segment, tmp_path):
    rows, cols = np.mgrid[0:256, 0:256]
    hill = (300 * np.exp(-((rows - 100) ** 2 + (cols - 90) ** 2) / 900)).astype("float32")
    x, y = GRID.transform @ (0, 0)
    place = from_origin(x, y, GRID.resolution, GRID.resolution)
    how = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": "EPSG:3857"}
    path = tmp_path / "hill.tif"
    with rasterio.open(path, "w", width=256, height=256, transform=place, **how) as file:
        file.write(hill, 1)
    done = segment(path, "--elevation", "--point", at(90, 100))
    assert collection(done)["samgis"]["rendering"] == "tinted-slope"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--point", "1,2"), 2, "--point 1,2: (1, 2) is outside the window (wanted: --bbox: "),
        (("--point", "1,200"), 2, "--point 1,200: is 200.0 (wanted: degrees from -90 to 90)"),
        (("--point", "one,two"), 2, "'one,two' is not LNG,LAT in degrees"),
        ((), 2, "give --point or --box"),
        (("--exclude", ON_LAKE), 2, "--point, --box: holds exclude points only"),
        (("--point", ON_LAKE, "--simplify", "-1"), 2, "--simplify: -1.0 is not at least 0"),
        (("--point", ON_LAKE, "--model", "none"), 2, "--model: 'none' is not installed"),
        (("--point", ON_LAKE, "--rendering", "pink"), 2, "--rendering: "),
        (("--point", ON_LAKE, "--zoom", 29), 2, "--zoom: 29 is outside the zooms"),
        (("--point", ON_LAKE, "--source", "sample"), 2, "IMAGE and --source"),
        (("--point", ON_LAKE, "--out", "a.doc"), 2, "written here: .fgb, .geojson, .gpkg"),
        (("--point", ON_LAKE, "--out", "nowhere/a.geojson"), 2, "there is no directory nowhere"),
    ],
)
def test_wrong_use_is_named_by_its_option(segment, scene, arguments, code, words):
    done = segment(scene, *arguments)
    assert done.exit_code == code, done.output
    assert words in done.stderr
    assert done.stdout == ""


def test_what_is_no_picture_is_wrong_use(segment, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    wrong = (("notes.txt", "notes.txt cannot be read"), ("gone.tif", "there is no file"))
    for name, words in wrong:
        done = segment(tmp_path / name, "--point", "1,2")
        assert (done.exit_code, words in done.stderr) == (2, True), done.stderr


def test_a_source_that_does_not_answer_has_a_code_of_its_own(segment):
    done = segment("--source", "dead", "--bbox", WHOLE, "--zoom", 15, "--point", ON_LAKE)
    assert done.exit_code == 3, done.stderr
    assert "dead" in done.stderr


def test_a_model_that_is_not_installed_is_our_fault(segment, scene, tmp_path):
    done = segment(scene, "--point", ON_LAKE, model=tmp_path / "no-models" / "tiny")
    assert done.exit_code == 1, done.stderr
    assert "not installed" in done.stderr


def interrupted(command, out, is_busy):
    """Start a command, interrupt it once it is busy, and return its code and the seconds."""
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        is_busy()
        time.sleep(0.3)
        assert process.poll() is None
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        code = process.wait(30)
        seconds = time.monotonic() - begun
    assert not out.exists()
    assert not [path for path in out.parent.iterdir() if path.name.startswith(".")]
    return code, seconds


def test_ctrl_c_ends_a_download_at_once(command, slow_tiles, tmp_path):
    out = tmp_path / "out.geojson"
    where = ("--source", "slow", "--bbox", WHOLE, "--zoom", 15, "--point", ON_LAKE)
    code, seconds = interrupted(
        command(*where, "--out", out), out, lambda: slow_tiles.is_asked.wait(30)
    )
    assert code == 130
    assert seconds < 1


@pytest.fixture(scope="module")
def slow_model(script, tmp_path_factory):
    """The tiny model, its encoder busy for minutes."""
    directory = tmp_path_factory.mktemp("models") / "slow"
    script("tiny_model").write(directory)
    graph = onnx.load(directory / ENCODER)
    busy = onnx.helper.make_node(
        "AveragePool", ["image"], ["busy"], kernel_shape=[401, 401], pads=[200] * 4
    )
    for node in graph.graph.node:
        node.input[:] = ["busy" if name == "image" else name for name in node.input]
    graph.graph.node.insert(0, busy)
    onnx.save(graph, directory / ENCODER)
    manifest = read_manifest(directory)
    files = {**manifest.files, ENCODER: describe(directory / ENCODER)}
    replace(manifest, files=files).write(directory)
    return directory


def test_ctrl_c_ends_an_encoder_run_at_once(command, scene, slow_model, tmp_path):
    out = tmp_path / "out.geojson"
    line = command(scene, "--point", ON_LAKE, "--out", out, model=slow_model)
    locks = tmp_path / "cache" / "locks"

    def until_it_encodes():
        while not list(locks.glob("*")):
            time.sleep(0.02)

    code, seconds = interrupted(line, out, until_it_encodes)
    assert code == 130
    assert seconds < 1


def on_a_terminal(command):
    """Return what a command writes to standard error when that is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 4096):
                written += part
        except OSError:  # the other side is closed
            pass
        assert process.wait(60) == 0, written
    os.close(ours)
    return written.decode()


def test_a_terminal_shows_a_bar_and_is_left_clean(command, scene):
    shown = on_a_terminal(command(scene, "--point", ON_LAKE))
    assert re.search(r"\[#*\.*\] +\d+% \w+", shown)
    assert shown.endswith("\r\x1b[K")
    assert on_a_terminal(command(scene, "--point", ON_LAKE, "--quiet")) == ""
