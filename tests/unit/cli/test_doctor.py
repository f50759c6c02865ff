import json
import shutil
import socket

import numpy as np
import pytest
import rasterio
import yaml
from click.testing import CliRunner
from rasterio.transform import from_origin

from samgis_process.cli import main

NAMES = ("PUBLIC_URL", "MODELS_DIR", "CACHE_DIR", "DATA_DIR")
CLEAN = {f"SAMGIS_{name}": None for name in NAMES}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def raster(tmp_path):
    path = tmp_path / "field.tif"
    profile = {"driver": "GTiff", "count": 3, "height": 40, "width": 30, "dtype": "uint8"}
    place = from_origin(900_000, 5_800_000, 10, 10)
    with rasterio.open(path, "w", crs="EPSG:3857", transform=place, **profile) as dataset:
        dataset.write(np.full((3, 40, 30), 90, np.uint8))
    return path


@pytest.fixture
def section(tmp_path, tiny_model_dir, raster):
    models = tmp_path / "models"
    shutil.copytree(tiny_model_dir, models / "tiny")
    return {
        "models": {"default": "tiny", "directory": str(models)},
        "cache": {"directory": str(tmp_path / "cache")},
        "results": {"directory": str(tmp_path / "data")},
        "default_source": "field",
        "sources": {"field": {"type": "raster", "path": str(raster)}},
    }


@pytest.fixture
def examine(tmp_path):
    """Run the command; returns the exit code and the findings by check."""

    def run(section, *more, port=None):
        config = tmp_path / "config.yml"
        config.write_text(yaml.safe_dump({"samgis": section}))
        arguments = ["--config", str(config), "doctor", "--port", str(port or free_port())]
        result = CliRunner(env=CLEAN).invoke(main, [*arguments, "--json", *more])
        return result.exit_code, {one["check"]: one for one in json.loads(result.stdout)}

    return run


def failed(findings):
    return {name for name, one in findings.items() if one["state"] == "FAIL"}


def test_a_good_set_up_is_all_right(examine, section):
    code, findings = examine(section)
    assert code == 0
    assert {one["state"] for one in findings.values()} <= {"ok", "warn"}
    checks = {"config", "model files", "model run", "cache", "disk", "source field", "port"}
    assert checks <= set(findings)
    assert findings["model run"]["ms"] > 0


def test_a_source_that_is_gone_and_a_damaged_model_are_told_with_remedies(
    examine, section, raster, tmp_path
):
    raster.unlink()
    encoder = tmp_path / "models" / "tiny" / "encoder.onnx"
    data = bytearray(encoder.read_bytes())
    data[len(data) // 2] ^= 1
    encoder.write_bytes(data)
    code, findings = examine(section)
    assert code == 1
    assert {"source field", "model files"} <= failed(findings)
    assert "encoder.onnx damaged" in findings["model files"]["message"]
    assert "mobile-sam" in findings["model files"]["remedy"]
    assert "no such file" in findings["source field"]["message"]
    assert str(raster) in findings["source field"]["remedy"]


def test_a_misspelt_setting_ends_the_examination_with_a_guess(examine, section):
    code, findings = examine(section | {"limits": {"max_promts": 3}})
    assert code == 1
    assert list(findings) == ["config"]
    assert "did you mean max_prompts" in findings["config"]["message"]


def test_a_cache_that_is_a_file_a_dead_server_and_a_taken_port_are_told(
    examine, section, tmp_path
):
    (tmp_path / "cache").write_text("in the way")
    (tmp_path / "data").write_text("in the way")
    secret = f"http://127.0.0.1:{free_port()}/{{z}}/{{x}}/{{y}}.png?key=s3cret"
    section["sources"]["dead"] = {"type": "xyz", "url": secret}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, findings = examine(section, port=taken.getsockname()[1])
    assert code == 1
    assert failed(findings) == {"cache", "results", "source dead", "port"}
    assert "SAMGIS_CACHE_DIR" in findings["cache"]["remedy"]
    assert "SAMGIS_DATA_DIR" in findings["results"]["remedy"]
    assert "in use" in findings["port"]["message"]
    assert "s3cret" not in json.dumps(findings)


def test_a_model_of_the_catalogue_that_is_not_installed_is_told_with_the_command(examine, section):
    section["models"]["default"] = "mobile-sam"
    _, findings = examine(section)
    assert "mobile-sam is not installed" in findings["model files"]["message"]
    assert "`samgis-process models install mobile-sam`" in findings["model files"]["remedy"]


def test_a_server_of_ours_on_the_port_is_no_failure(examine, section, script):
    health = b'{"status": "ok", "models": [], "sources": []}'
    with script("tile_server").TileServer(respond=lambda _: health) as server:
        code, findings = examine(section, port=int(server.url.rpartition(":")[2]))
    assert (code, findings["port"]["state"]) == (0, "warn")


@pytest.mark.parametrize(
    ("server", "host", "state"),
    [
        ({"public_url": "maps.example.org"}, "127.0.0.1", "FAIL"),
        ({"allowed_hosts": ["https://maps.example.org/"]}, "127.0.0.1", "FAIL"),
        ({}, "0.0.0.0", "warn"),  # noqa: S104  what the container listens on
        ({"public_url": "https://maps.example.org"}, "127.0.0.1", "ok"),
    ],
)
def test_names_by_which_nobody_could_call_it_are_told(examine, section, server, host, state):
    _, findings = examine(section | {"server": server}, "--host", host)
    assert findings["names"]["state"] == state


def test_for_people_it_is_one_line_for_each_check(section, tmp_path):
    config = tmp_path / "config.yml"
    config.write_text(yaml.safe_dump({"samgis": section}))
    arguments = ["--config", str(config), "doctor", "--port", str(free_port())]
    lines = CliRunner(env=CLEAN).invoke(main, arguments).stdout.splitlines()
    assert lines[0] == "ok    config: config.yml makes sense"
    assert len(lines) == 9
