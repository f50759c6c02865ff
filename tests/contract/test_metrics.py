"""`/metrics`: what it says, and to whom."""

import re
import time

import pytest
import requests

from samgis_process.server.keys import hashed, new_key
from samgis_process.settings import AccessSettings

ANN, OPS = new_key(), new_key()
ACCESS = {
    "keys": [
        {"name": "ann", "sha256": hashed(ANN)},
        {"name": "ops", "sha256": hashed(OPS), "operator": True},
    ]
}
LINE = re.compile(r'[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [0-9.e+-]+')


def ask(server, key=None, **headers):
    headers |= {"X-API-Key": key} if key else {}
    return requests.get(f"{server}/metrics", headers=headers, timeout=10)


def value(server, start):
    lines = ask(server).text.splitlines()
    return sum(float(line.rsplit(" ")[-1]) for line in lines if line.startswith(start))


def run(server, prefer="", **inputs):
    return requests.post(
        f"{server}/processes/alpha/execution",
        json={"inputs": {"name": "x", **inputs}},
        headers={"Prefer": prefer},
        timeout=30,
    )


def test_each_line_is_one_that_prometheus_reads(job_server):
    run(job_server)
    answer = ask(job_server)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.endswith("\n")
    lines = answer.text.splitlines()
    assert all(LINE.fullmatch(line) or line.startswith("# ") for line in lines)
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_requests_and_executions_are_counted(job_server):
    executions = 'samgis_executions_total{process="alpha",outcome='
    before = {outcome: value(job_server, executions + f'"{outcome}"') for outcome in
              ("answered", "refused", "failed", "job")}  # fmt: skip
    assert run(job_server).status_code == 200
    assert run(job_server, nme="x").status_code == 400
    assert run(job_server, fail="source").status_code == 502
    assert run(job_server, "respond-async").status_code == 201
    for outcome, number in before.items():
        assert value(job_server, executions + f'"{outcome}"') == number + 1
    route = 'route="/processes/{process_id}/execution"'
    assert value(job_server, f"samgis_http_request_duration_seconds_count{{{route}") >= 4
    assert value(job_server, "samgis_http_requests_under_way") == 1  # this one


def test_jobs_are_counted_by_state(make_job_server, tmp_path):
    with make_job_server(tmp_path) as server:
        for _ in range(3):
            run(server, "respond-async", pause=1.5)
        until = time.monotonic() + 20
        while value(server, 'samgis_jobs{process="alpha",status="running"}') != 1:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert value(server, "samgis_jobs_waiting") == 2
        while value(server, 'samgis_jobs{process="alpha",status="successful"}') != 3:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert value(server, "samgis_jobs_waiting") == 0


def test_only_operators_see_it_where_keys_are_asked_for(make_server):
    away = {"X-Forwarded-For": "192.0.2.7"}  # brought by somebody
    with make_server(access=AccessSettings(**ACCESS, everything=True)) as server:
        assert ask(server).status_code == 200  # from this machine
        assert ask(server, OPS, **away).status_code == 200
        for key in (None, ANN):
            refused = ask(server, key, **away)
            assert refused.status_code == 403
            assert refused.json()["type"] == "urn:samgis:problem:not-allowed"
            assert "operator: true" in refused.json()["detail"]
        assert ask(server, "wrong").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Real-IP": "127.0.0.1"},
        {"Host": "maps.example.org"},
    ],
)
def test_what_a_proxy_on_this_machine_brings_is_not_of_this_machine(make_server, headers):
    with make_server() as server:
        assert ask(server).status_code == 200
        assert ask(server, **headers).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"public_url": "https://maps.example.org"},
        {"access": AccessSettings(proxies=["192.0.2.1"])},
        {"access": AccessSettings(proxies=["127.0.0.1"])},
    ],
)
def test_with_a_proxy_only_a_key_counts(make_server, changes):
    """One that leaves no sign of itself cannot be told from a program of this machine."""
    with make_server(**changes) as server:
        assert ask(server).status_code == 403
