"""Clients that generators make of openapi.yml run `segment`, waited for and as a job."""

import importlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "openapi.yml"
TYPESCRIPT = ROOT / "tests" / "clients" / "typescript"
BBOX = [-29.59652, 41.25536, -29.58304, 41.26479]


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The package that openapi-python-client makes, importable; and what it said."""
    folder = tmp_path_factory.mktemp("python")
    program = Path(sys.executable).with_name("openapi-python-client")
    command = [program, "generate", "--path", DOCUMENT, "--output-path", folder / "made_client"]
    done = subprocess.run(
        [*command, "--meta", "none"], capture_output=True, text=True, check=True, cwd=folder
    )
    sys.path.insert(0, str(folder))
    yield done.stdout
    sys.path.remove(str(folder))


def test_openapi_python_client_leaves_out_no_route(generated):
    assert "Endpoint will not be generated" not in generated
    assert "Unable to" not in generated


@pytest.mark.usefixtures("generated")
def test_openapi_python_client_runs_segment(server):
    made = importlib.import_module("made_client")
    models = importlib.import_module("made_client.models")
    execute = importlib.import_module("made_client.api.segment.execute_segment")
    get_job = importlib.import_module("made_client.api.jobs.get_job")
    point = models.PointPrompt(
        models.PointPromptType.POINT,
        models.Corner(lat=41.26234, lng=-29.58979),
        models.PointPromptLabel.VALUE_1,
    )
    inputs = models.SegmentInputs(source="sample", bbox=BBOX, zoom=16, prompt=[point])
    body = models.SegmentExecute(inputs)
    with made.Client(server.url, timeout=60) as client:
        found = execute.sync(client=client, body=body)
        assert isinstance(found, models.SegmentOutputsFeatures)
        (lake,) = found.features
        assert lake["geometry"]["type"] == "Polygon"
        assert lake["properties"]["score"] > 0.8
        job = execute.sync(client=client, body=body, prefer="respond-async")
        assert isinstance(job, models.StatusInfo)
        until = time.monotonic() + 60
        while job.status in ("accepted", "running") and time.monotonic() < until:
            time.sleep(0.1)
            job = get_job.sync(str(job.job_id), client=client)
        assert job.status == "successful"
        answer = client.get_httpx_client().get(f"/jobs/{job.job_id}/results")
        assert answer.json()["features"] == [lake.to_dict()]


def test_openapi_typescript_runs_segment(tmp_path, server, unavailable):
    if not all(map(shutil.which, ("node", "npm", "npx"))):
        unavailable("no Node.js with npm: it takes Node 20 or newer")
    for file in TYPESCRIPT.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)

    def run(*command):
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240
        )

    installed = run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    assert installed.returncode == 0, installed.stderr
    typed = run("npx", "openapi-typescript", DOCUMENT, "-o", "api.d.ts")
    assert typed.returncode == 0, typed.stderr
    flags = ("--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck")
    built = run("npx", "tsc", *flags, "--rewriteRelativeImportExtensions", "client.ts")
    assert built.returncode == 0, built.stdout
    ran = run("node", "client.js", server.url)
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["job"] == "successful"
    assert said["sync"] == said["again"]
    assert said["sync"][0]["geometry"]["type"] == "Polygon"
