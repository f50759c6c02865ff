"""IMAGE, what may be said of it, and numbers as people write them."""

import json
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from odd_rasters import COLS, HILL, RGB, plane, write

from samgis_process.cli import main

NAMES = ("PUBLIC_URL", "MODELS_DIR")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in a directory of its own; returns exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    env = {f"SAMGIS_{name}": None for name in NAMES}
    env |= {"SAMGIS_CACHE_DIR": str(tmp_path / "cache"), "SAMGIS_DATA_DIR": str(tmp_path / "data")}

    def call(*arguments):
        result = CliRunner(env=env).invoke(main, list(map(str, arguments)))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return call


def slope(directory):
    with rasterio.open(directory / "slope.tif") as dataset:
        values = dataset.read(1)
    return float(np.median(values[np.isfinite(values)]))


def test_what_a_source_has_as_settings_an_image_has_as_options(run, tmp_path):
    metres = np.where(COLS < 30, -1, plane(5))
    write(tmp_path / "a.tif", (metres * 3.28084).astype("f4"), crs=None)
    out = tmp_path / "out"
    code, _, said = run("composite", "a.tif", "--layer", "slope", "--out", out)
    assert code == 2
    assert "IMAGE: has no coordinate reference system" in said
    assert "--crs" in said
    options = ("--crs", "EPSG:32632", "--vertical-unit", "foot", "--nodata", -3.28084,
               "--gdal-option", "GDAL_NUM_THREADS=1")  # fmt: skip
    code, printed, said = run("composite", "a.tif", "--layer", "slope", "--out", out, *options)
    assert (code, printed, said) == (0, "", "")
    assert slope(out) == pytest.approx(5, abs=0.05)


def test_options_about_an_image_want_one(run, tmp_path):
    code, _, said = run("composite", "--crs", "EPSG:32632", "--out", tmp_path / "a.png")
    assert code == 2
    assert "--crs: about IMAGE, which is not given" in said
    code, _, said = run("composite", "gone.tif", "--out", tmp_path / "a.png")
    assert code == 2
    assert "there is no file gone.tif" in said
    code, _, said = run("composite", "a.tif", "--gdal-option", "X", "--out", tmp_path / "a.png")
    assert "NAME=VALUE" in said


def test_an_image_is_whatever_gdal_opens(run, tmp_path):
    for table in "ab":
        write(tmp_path / "t.gpkg", HILL, driver="GPKG", RASTER_TABLE=table,
              APPEND_SUBDATASET="YES" if table == "b" else "NO")  # fmt: skip
    code, _, said = run("composite", "t.gpkg", "--out", "x.png")
    assert code == 2
    assert "name one of its subdatasets: GPKG:t.gpkg:a, GPKG:t.gpkg:b" in said
    assert "Warning" not in said
    code, printed, said = run("composite", "GPKG:t.gpkg:a", "--out", "x.png")
    assert (code, printed, said) == (0, "", "")
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


def test_colours_are_no_heights(run, tmp_path):
    write(tmp_path / "rgb.tif", RGB)
    code, _, said = run("composite", "rgb.tif", "--out", "x.png")
    assert code == 2
    assert "holds colours, not elevation" in said


def test_damage_is_wrong_use_and_names_the_file(run, tmp_path):
    noise = np.random.default_rng(0).integers(0, 9999, (300, 300)).astype("u2")
    path = write(tmp_path / "a.tif", noise, tiled=True, compress="deflate")
    path.write_bytes(path.read_bytes()[:60_000])
    code, printed, said = run("composite", "a.tif", "--out", "x.png")
    assert (code, printed) == (2, "")
    assert "a.tif cannot be read: it is damaged" in said


def test_a_configuration_of_the_directory_is_for_serving_alone(run, tmp_path):
    (tmp_path / "pygeoapi-config.yml").write_text("samgis: {nonsense: 1}")
    write(tmp_path / "a.tif", HILL)
    assert run("composite", "a.tif", "--out", "x.png")[0] == 0
    command = [sys.executable, "-m", "samgis_process", "serve", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "samgis.nonsense is unknown" in done.stderr
    assert str(tmp_path / "pygeoapi-config.yml") in done.stderr


def test_a_rendering_may_be_json_and_numbers_come_in_any_spelling(run, tmp_path, tiny_model_dir):
    path = write(tmp_path / "a.tif", np.where(COLS > 70, 2, 1).astype("u1"))
    with rasterio.open(path) as dataset:
        west, south, east, north = rasterio.warp.transform_bounds(
            dataset.crs, "OGC:CRS84", *dataset.bounds
        )
    middle = ((west + east) / 2, (south + north) / 2)
    models = tmp_path / "models"
    models.mkdir()
    (models / "tiny").symlink_to(tiny_model_dir)
    config = tmp_path / "c.yml"
    config.write_text(json.dumps({"samgis": {"models": {
        "default": "tiny", "directory": str(models)}}}))  # fmt: skip
    begin = ("--config", config, "segment", path)
    rendering = '{"bands": [1], "stretch": [[1, 2]]}'
    answers = []
    for point in (("--point", f"{middle[0]},{middle[1]}"), ("--point", *middle),
                  ("--point", f"{middle[0]} {middle[1]}")):  # fmt: skip
        code, printed, said = run(*begin, *point, "--rendering", rendering)
        assert code == 0, said
        answers.append(json.loads(printed))
    assert answers[0]["samgis"]["rendering"] == {"bands": [1], "stretch": [[1, 2]]}
    assert len({json.dumps(one["features"]) for one in answers}) == 1
    code, _, said = run(*begin, "--point", *middle, "--rendering", '{"bands": [1')
    assert code == 2
    assert "is no JSON" in said
    code, _, said = run(*begin, "--point", *middle)
    assert "the picture is nearly black" in said
    code, printed, said = run(*begin, "--point", *middle, "--out", tmp_path / "x.gpkg")
    assert "the picture is nearly black" in said
    # Numbers may be negative; then these lie outside, which is said of the right thing.
    code, _, said = run(*begin, "--box", "-10", "-5", "-9.5", "-4")
    assert code == 2
    assert "--box -10,-5,-9.5,-4: lies outside the window" in said
    code, _, said = run(*begin, "--point", "-10,-5")
    assert "--point -10,-5: (-10, -5) is outside the window" in said
