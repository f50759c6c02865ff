"""Installed from a wheel, in an empty directory, without a configuration file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from odd_rasters import RGB, plane, write
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What a wheel holds, unpacked; the packages it needs are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    copy = folder / "checkout"
    names = ("pyproject.toml", "README.md", "LICENSE", "NOTICE", "pygeoapi-config.yml")
    copy.mkdir()
    for name in names:
        (copy / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(["cp", "-a", ROOT / "samgis_process", copy], check=True)
    flags = ["--no-build-isolation", "--no-deps"]
    subprocess.run([*pip, "wheel", *flags, "-w", folder, copy], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture
def run(installed, tmp_path):
    """Run a command in an empty directory, with the models of this checkout."""
    names = ("SAMGIS_CACHE_DIR", "SAMGIS_DATA_DIR", "PYGEOAPI_CONFIG")
    env = {key: value for key, value in os.environ.items() if key not in names}
    env |= {
        "PYTHONPATH": str(installed),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    data = tmp_path / "data" / "samgis-process"
    data.mkdir(parents=True)
    (data / "models").symlink_to(ROOT / "models")
    here = tmp_path / "empty"
    here.mkdir()

    def call(*arguments, start=False):
        command = [sys.executable, "-m", "samgis_process", *map(str, arguments)]
        how = {"cwd": here, "env": env, "text": True}
        if start:
            return subprocess.Popen(command, stderr=subprocess.PIPE, **how)
        return subprocess.run(command, capture_output=True, check=False, **how)

    call.here = here
    return call


def test_every_command_works_in_an_empty_directory(run):
    assert "mobile-sam-maps" in run("models", "list").stdout
    assert json.loads(run("cache", "stats").stdout)["embeddings"]["entries"] == 0
    write(run.here / "a.tif", RGB)
    done = run("segment", "a.tif", "--point", "7.6967,46.9352", "--masks", "all")
    assert done.returncode == 0, done.stderr
    features = json.loads(done.stdout)["features"]
    ids = [one["id"] for one in features]
    assert all(isinstance(one, int) for one in ids)
    assert len(set(ids)) == len(ids) > 1
    write(run.here / "b.tif", plane(5).astype("f4"))
    done = run("composite", "b.tif", "--out", "b.png")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (run.here / "b.png").unlink()
    report = run("doctor", "--port", "0").stdout
    assert "ok    config: the package's own makes sense" in report
    assert "ok    source sample:" in report


def test_it_serves_and_says_with_which_configuration(run):
    server = run("serve", "--port", "0", start=True)
    try:
        said = []
        while not said or "Serving on" not in said[-1]:
            said.append(server.stderr.readline())
            assert said[-1], said
        address = said[-1].split()[2]
        session = requests.Session()  # "Serving" is said a moment before the port listens
        session.mount("http://", HTTPAdapter(max_retries=Retry(connect=8, backoff_factor=0.1)))
        assert session.get(f"{address}health", timeout=5).json()["status"] == "ok"
        (named,) = [line for line in said if line.startswith("Configuration: ")]
        assert named.strip().endswith("samgis_process/pygeoapi-config.yml")
    finally:
        server.terminate()
        server.communicate(timeout=30)
