"""What schemathesis makes of the OpenAPI document, sent to a real server."""

import importlib.util
import subprocess
import sys

import pytest
import requests

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_schema_conformance", "response_headers_conformance", "unsupported_method",
    "allow_header_conformance",
)  # fmt: skip
CONFIG = """
[parameters]
"path.processID" = "echo"

[[operations]]
include-path = "/jobs/{jobID}/results"
parameters = { "path.jobID" = "JOB" }

[[operations]]
include-path = "/jobs/{jobID}/results/{outputID}"
parameters = { "path.jobID" = "JOB", "path.outputID" = "stringInput" }
"""


@pytest.fixture
def server(script, tiny_model_dir, tmp_path):
    helper = script("server_process")
    nowhere = f"http://127.0.0.1:{helper.free_port()}/{{z}}/{{x}}/{{y}}.png"
    config = helper.configure(
        tmp_path / "config.yml",
        tiny_model_dir,
        tmp_path / "cache",
        {"nowhere": {"type": "xyz", "url": nowhere, "retries": 0}},
        server={"echo_s": 0.0},
    )
    server = helper.ServerProcess(config, tmp_path / "log").start().ready()
    yield server
    server.stop()


def job(server):
    answer = requests.post(
        f"{server.url}/processes/echo/execution",
        json={"inputs": {"stringInput": "teststring"}},
        headers={"Prefer": "wait=20"},
        timeout=30,
    )
    assert answer.status_code == 200
    return answer.headers["link"].partition(">")[0].rpartition("/")[2]


def test_schemathesis_finds_no_server_error_and_nothing_undescribed(server, tmp_path, unavailable):
    if importlib.util.find_spec("schemathesis") is None:
        unavailable("no package schemathesis")
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.replace("JOB", job(server)))
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", config,
            "run", f"{server.url}/openapi", "--seed", "1", "--max-time", "10", "--workers", "8",
            "--max-examples", "5", "--phases", "examples,coverage,fuzzing", "--no-shrink",
            "--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color",
            "--generation-database", "none",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout.rpartition("Test cases:")[2], done.stdout[-2000:]
    assert "Traceback" not in server.log.read_text(errors="replace")
