"""What the README shows is what happens."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import shapely
import yaml

from samgis_process.settings import parse
from samgis_process.sources import sample

ROOT = Path(__file__).parent.parent.parent
CLI = f"{sys.executable} -m samgis_process"
ADDRESS = "http://127.0.0.1:5000"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def block(language, containing):
    (found,) = (text for lang, text in BLOCKS if lang == language and containing in text)
    return found


def lake_iou(feature):
    truth = {f["properties"]["name"]: f["geometry"] for f in sample.truth()["features"]}
    lake = shapely.geometry.shape(truth["Heron Lake"])
    found = shapely.geometry.shape(feature["geometry"])
    return found.intersection(lake).area / found.union(lake).area


def test_the_curl_answers_with_the_lake(server):
    command = block("sh", "curl").replace(ADDRESS, server.url)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    (feature,) = answer["features"]
    assert lake_iou(feature) >= 0.95
    shown = json.loads(block("json", "FeatureCollection"))
    assert shown["features"][0]["properties"].keys() <= feature["properties"].keys()
    assert shown["samgis"].keys() <= answer["samgis"].keys()
    area = feature["properties"]["area_m2"]
    assert abs(shown["features"][0]["properties"]["area_m2"] / area - 1) < 0.01


def test_the_owslib_example_runs(server, capsys):
    code = block("python", "owslib").replace(ADDRESS, server.url)
    names = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102  our own README
    assert lake_iou(names["lake"]) >= 0.95
    assert float(capsys.readouterr().out) > 500_000


def test_the_command_finds_the_lake_too(server, tmp_path):
    command = block("sh", "segment --source").replace(".venv/bin/samgis-process", CLI)
    environ = {
        **os.environ,
        "PYGEOAPI_CONFIG": str(server.config),
        "SAMGIS_CACHE_DIR": str(server.cache),
    }
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environ, check=True)
    (feature,) = json.loads((tmp_path / "lake.geojson").read_text())["features"]
    assert lake_iou(feature) >= 0.95


def test_the_sources_example_is_a_good_configuration(tmp_path):
    section = yaml.safe_load(block("yaml", "samgis:"))["samgis"]
    assert set(parse(section, tmp_path).sources) == {"ortho", "tiles"}


def test_every_page_that_is_linked_exists():
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "models" / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
