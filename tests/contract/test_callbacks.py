"""Callbacks of jobs to a real receiver that is not always there."""

import contextlib
import queue
import time

import lab
import pytest
import requests

from samgis_process.outbound import Rules
from samgis_process.server.app import create_app
from samgis_process.server.callbacks import Callbacks
from samgis_process.settings import CallbackSettings

CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/callback"
KINDS = {"successUri": "/success", "inProgressUri": "/progress", "failedUri": "/failed"}


@pytest.fixture
def origin(script):
    with script("origin_server").serving() as origin:
        yield origin


@pytest.fixture
def make(serve, config_path, origin, tmp_path):
    """Serve jobs whose callbacks may go to the origin; arguments change the settings."""

    def make(rules=None, **changes):
        values = {"private_hosts": (origin.host,), "timeout_s": 0.7, "backoff_s": 0.05}
        listener = Callbacks(CallbackSettings(**(values | changes)), rules)
        room = lab.job_room(tmp_path, listener=listener)
        services = lab.services(processes=lab.processes(jobs=True))
        return serve(create_app(config_path, services, room))

    return make


def run(server, subscriber, headers=None, process="alpha", **inputs):
    body = {"inputs": {"name": "x"} | inputs, "subscriber": subscriber}
    headers = {"Prefer": "respond-async"} if headers is None else headers
    address = f"{server}/processes/{process}/execution"
    return requests.post(address, json=body, headers=headers, timeout=30)


def everything(origin):
    return {name: origin.url + path for name, path in KINDS.items()}


def taken(origin, path, seconds=20):
    """Return the next body that came at `path`, and its headers."""
    until = time.monotonic() + seconds
    while True:
        found, _, body, headers = origin.taken.get(timeout=max(0.01, until - time.monotonic()))
        if found == path:
            return body, headers


def nothing_more(origin, seconds=0.5):
    """But for news of progress that were on their way when the job ended."""
    until = time.monotonic() + seconds
    with contextlib.suppress(queue.Empty):
        while True:
            found = origin.taken.get(timeout=max(0.01, until - time.monotonic()))
            assert found[0] == "/progress", found


def info_of(made):
    return requests.get(made.headers["location"], timeout=10).json()


def ended(made):
    until = time.monotonic() + 20
    while (info := info_of(made))["status"] in {"accepted", "running"}:
        assert time.monotonic() < until
        time.sleep(0.02)
    return info


def test_a_subscriber_hears_of_the_work_and_its_results(make, origin):
    with make(progress_s=0.1) as server:
        made = run(server, everything(origin), pause=0.6, count=3)
        assert made.status_code == 201
        info, _ = taken(origin, "/progress")
        assert (info["jobID"], info["status"]) == (made.json()["jobID"], "running")
        assert {link["rel"] for link in info["links"]} >= {"self", "monitor"}
        results, headers = taken(origin, "/success")
        assert headers["Content-Type"] == "application/json"
        assert results["features"]["value"]["lab"]["inputs"] == {"name": "x", "count": 3}
        assert results["features"]["mediaType"] == "application/geo+json"
        nothing_more(origin)


def test_results_by_reference_are_links_in_a_callback(make, origin):
    with make() as server:
        body = {
            "inputs": {"name": "x"},
            "outputs": {"count": {"transmissionMode": "reference"}, "features": {}},
            "subscriber": {
                "successUrl": origin.url + "/success"
            },  # as the standard's schema has it
        }
        made = requests.post(
            f"{server}/processes/many/execution",
            json=body, headers={"Prefer": "respond-async"}, timeout=30,
        )  # fmt: skip
        results, _ = taken(origin, "/success")
        href = made.headers["location"] + "/results/count.json"
        assert results["count"] == {"href": href, "type": "application/json"}


def test_a_failure_is_told_to_who_asked_for_it(make, origin):
    with make() as server:
        made = run(server, everything(origin), fail="source")
        info, _ = taken(origin, "/failed")
        assert (info["jobID"], info["status"]) == (made.json()["jobID"], "failed")
        assert "Traceback" not in str(info)
        only_success = {"successUri": origin.url + "/success"}
        assert ended(run(server, only_success, fail="bug"))["status"] == "failed"
        nothing_more(origin)


def test_nobody_is_called_about_a_dismissed_job(make, origin):
    with make() as server:
        made = run(
            server,
            {k: v for k, v in everything(origin).items() if k != "inProgressUri"},
            trouble="spin",
        )
        requests.delete(made.headers["location"], timeout=10)
        nothing_more(origin, 1)


def test_a_call_that_fails_is_tried_again(make, origin):
    origin.statuses["/success"] = [500, 429, 202]
    with make() as server:
        run(server, everything(origin))
        for status in (500, 429, 202):
            until = time.monotonic() + 20
            while True:
                path, found, _, _ = origin.taken.get(timeout=until - time.monotonic())
                if path == "/success":
                    break
            assert found == status
        nothing_more(origin)


def test_tries_have_an_end_and_some_statuses_are_final(make, origin, caplog):
    origin.statuses |= {"/success": [503] * 9, "/failed": [404] * 9}
    with make(tries=3) as server:
        subscriber = {k: v for k, v in everything(origin).items() if k != "inProgressUri"}
        run(server, subscriber)
        for _ in range(3):
            taken(origin, "/success")
        nothing_more(origin)
        run(server, subscriber, fail="source")
        taken(origin, "/failed")
        nothing_more(origin)
    given_up = [
        record.getMessage() for record in caplog.records if "given up" in record.getMessage()
    ]
    assert len(given_up) == 2
    assert not any("/success" in line for line in given_up)


def test_redirects_are_not_followed(make, origin):
    origin.statuses["/success"] = [307]
    with make() as server:
        run(server, {"successUri": origin.url + "/success"})
        taken(origin, "/success")
        nothing_more(origin)


def test_hanging_receivers_harm_no_job_and_no_other_receiver(make, origin):
    origin.statuses["/hang"] = ["hang"] * 99
    with make(workers=2, tries=2) as server:
        hanging = dict.fromkeys(KINDS, origin.url + "/hang")
        begun = time.monotonic()
        for _ in range(3):
            assert ended(run(server, hanging))["status"] == "successful"
        assert time.monotonic() - begun < 10
        run(server, everything(origin))
        taken(origin, "/success")


@pytest.mark.parametrize(
    ("subscriber", "place"),
    [
        ("x", "subscriber"),
        ({}, "subscriber"),
        ({"successUri": 7}, "subscriber.successUri"),
        ({"succesUri": "http://example.org/"}, "subscriber.succesUri"),
        ({"successUri": "file:///etc/passwd"}, "subscriber.successUri"),
        ({"successUri": "http://localhost/"}, "subscriber.successUri"),
        ({"failedUri": "http://169.254.169.254/latest"}, "subscriber.failedUri"),
        ({"inProgressUri": "http://[::1]:8080/"}, "subscriber.inProgressUri"),
    ],
)
def test_a_subscriber_that_cannot_be_called_is_refused(make, subscriber, place):  # row 24
    with make() as server:
        answer = run(server, subscriber)
    assert answer.status_code == 400
    assert [fault["input"] for fault in answer.json()["errors"]] == [place]


def test_a_name_that_leads_to_a_private_address_is_never_called(make, origin):
    asked = []

    def resolve(host, _port):
        asked.append(host)
        return ["127.0.0.1"]

    with make(rules=Rules(None, (), resolve)) as server:
        made = run(server, {"successUri": f"http://innocent.example:{origin.port}/success"})
        assert ended(made)["status"] == "successful"
        nothing_more(origin)
    assert asked == ["innocent.example"]


@pytest.mark.parametrize("headers", [{"Prefer": "wait=20"}, {}], ids=["wait", "sync"])
def test_who_waits_is_called_too(make, origin, headers):
    with make() as server:
        answer = run(server, everything(origin), headers)
        assert answer.status_code == 200
        assert ("Preference-Applied" in answer.headers) == bool(headers)
        taken(origin, "/success")


def test_the_class_and_the_callbacks_are_declared_where_they_hold(make, make_job_server, tmp_path):
    with make() as server:
        assert CONF in requests.get(f"{server}/conformance", timeout=20).json()["conformsTo"]
        document = requests.get(f"{server}/openapi?f=json", timeout=20).json()
        operation = document["paths"]["/processes/alpha/execution"]["post"]
        expressions = [key for one in operation["callbacks"].values() for key in one]
        assert expressions[0] == "{$request.body#/subscriber/successUri}"
    with make_job_server(tmp_path / "none") as server:
        assert CONF not in requests.get(f"{server}/conformance", timeout=20).json()["conformsTo"]
        answer = run(server, {"successUri": "http://example.org/"})
        assert "not offered" in answer.json()["errors"][0]["message"]


def test_a_server_that_stops_sends_what_is_due(make, origin):
    with make() as server:
        made = run(server, {"successUri": origin.url + "/success"}, pause=0.3)
        assert ended(made)["status"] == "successful"
    taken(origin, "/success", 1)
