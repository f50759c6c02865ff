"""Inputs by reference, from a real server that is not always kind."""

import base64
import shutil
import ssl
import subprocess
import threading
import time

import lab
import pytest
import requests

from samgis_process import outbound
from samgis_process.outbound import Limits, Rules
from samgis_process.server.fetching import fetcher
from samgis_process.settings import HrefSettings

PNG = b"\x89PNG\r\n\x1a\n of a sort"


@pytest.fixture(scope="module")
def origin(script):
    with script("origin_server").serving() as origin:
        yield origin


def settings(origin, **changes):
    values = {"private_hosts": (origin.host,), "max_bytes": 100_000, "timeout_s": 1.5}
    return HrefSettings(**(values | changes))


@pytest.fixture(scope="module")
def server(make_server, origin):
    with make_server(fetch=fetcher(settings(origin))) as address:
        yield address


def run(server, inputs, **options):
    address = f"{server}/processes/alpha/execution"
    return requests.post(address, json={"inputs": {"name": "x"} | inputs}, timeout=30, **options)


def given(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["lab"]["inputs"]


def fault(answer):
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    (one,) = answer.json()["errors"]
    return one


def test_json_is_fetched_and_given_to_the_process(server, origin):
    href = origin.put("/name.json", "Ägidius")
    assert given(run(server, {"name": {"href": href}}))["name"] == "Ägidius"
    prompt = [{"type": "point", "data": {"lat": 1, "lng": 2}}]
    typed = {"href": origin.put("/prompt", prompt, "text/plain"), "type": "application/json"}
    assert given(run(server, {"prompt": typed}))["prompt"] == prompt


def test_bytes_are_fetched_as_base64(server, origin):
    href = origin.put("/picture.png", PNG, "image/png")
    picture = given(run(server, {"picture": {"href": href}}))["picture"]
    assert base64.b64decode(picture) == PNG
    unsaid = {"href": origin.put("/picture", PNG, None), "type": "image/png"}
    assert given(run(server, {"picture": unsaid}))["picture"] == picture


def test_occurrences_may_be_references(server, origin):
    href = origin.put("/tag", "b")
    assert given(run(server, {"tags": ["a", {"href": href}, "c"]}))["tags"] == ["a", "b", "c"]
    assert given(run(server, {"tags": {"href": href}}))["tags"] == ["b"]


def test_what_comes_is_checked_like_any_value(server, origin):
    found = fault(run(server, {"count": {"href": origin.put("/count", 11)}}))
    assert found["input"] == "count.value"
    found = fault(run(server, {"picture": {"href": origin.put("/text", b"hello", "text/csv")}}))
    assert found["input"] == "picture.mediaType"
    found = fault(run(server, {"count": {"href": origin.put("/nojson", b"{")}}))
    assert found["input"] == "count.href"
    assert "does not hold application/json" in found["message"]


def test_a_reference_in_what_was_fetched_is_not_followed(server, origin):
    before = len(origin.asked)
    inner = origin.put("/inner", {"href": f"{origin.url}/name.json"})
    assert fault(run(server, {"count": {"href": inner}}))["input"] == "count.value"
    assert len(origin.asked) == before + 1


def test_a_request_that_is_wrong_anyway_fetches_nothing(server, origin):
    before = len(origin.asked)
    href = origin.put("/one", 1)
    assert run(server, {"count": {"href": href}, "margin": "x"}).status_code == 400
    assert len(origin.asked) == before


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nothing", "the status 404"),
        ("/hang", "within 1.5 s"),
        ("/drip", "in time|within 1.5 s"),
        ("/endless", "more than 100000 bytes"),
        ("/loop", "more than 3 times"),
        ("/short", "before all of it had come|answered nonsense"),
        ("/zipped", "compressed"),
    ],
)
def test_an_unkind_origin_is_named_within_the_time(server, origin, path, words):
    import re

    begun = time.monotonic()
    found = fault(run(server, {"count": {"href": origin.url + path}}))
    assert time.monotonic() - begun < 3
    assert found["input"] == "count.href"
    assert re.search(words, found["message"])
    assert found["remedy"] == "Send the value itself."


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/", "http://localhost/x", "http://169.254.169.254/latest/meta-data",
        "http://example.org/", "file:///etc/passwd", "http://[::1]/", "/etc/passwd",
    ],
)  # fmt: skip
def test_only_the_allowed_host_is_asked(server, address):
    found = fault(run(server, {"count": {"href": address}}))
    assert found["input"] == "count.href"


def test_redirects_lead_only_to_allowed_hosts(server, origin):
    href = origin.put("/two", 2)
    ok = f"{origin.url}/redirect?to={href}"
    assert given(run(server, {"count": {"href": ok}}))["count"] == 2
    for bad in (f"http://localhost:{origin.port}/two", "file:///etc/passwd", "http://10.0.0.1/"):
        before = len(origin.asked)
        fault(run(server, {"count": {"href": f"{origin.url}/redirect?to={bad}"}}))
        assert len(origin.asked) == before + 1


def test_there_are_only_so_many_values(make_server, origin):
    href = origin.put("/tag", "b")
    with make_server(fetch=fetcher(settings(origin, max_values=2))) as server:
        found = fault(run(server, {"tags": [{"href": href}] * 3}))
    assert found["input"] == "tags[2].href"


def test_all_values_of_a_request_share_one_room(server, origin):
    href = origin.put("/large", "x" * 900)
    large = origin.put("/larger", "x" * 99_500)
    assert (
        fault(run(server, {"tags": [{"href": large}, {"href": href}]}))["input"] == "tags[1].href"
    )


def test_off_by_default_with_a_remedy(make_server, origin):
    assert fetcher(HrefSettings()) is None
    before = len(origin.asked)
    with make_server() as server:
        found = fault(run(server, {"count": {"href": origin.put("/one", 1)}}))
    assert (found["input"], found["remedy"]) == ("count", "Send the value itself.")
    assert len(origin.asked) == before


def test_hanging_origins_leave_the_server_its_threads(make_server, origin):
    with make_server(fetch=fetcher(settings(origin, workers=2))) as server:
        hanging = {"count": {"href": f"{origin.url}/hang"}}
        threads = [threading.Thread(target=run, args=(server, hanging)) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.4)
        answer = run(server, {"count": {"href": origin.put("/one", 1)}})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert run(server, {}).status_code == 200
        for thread in threads:
            thread.join()


def test_a_job_gets_its_inputs_when_it_is_made(serve, config_path, origin, tmp_path):
    from samgis_process.server.app import create_app

    services = lab.services(processes=lab.processes(jobs=True), fetch=fetcher(settings(origin)))
    with serve(create_app(config_path, services, lab.job_room(tmp_path))) as server:
        wanted = {"count": {"href": origin.put("/three", 3)}}
        answer = run(server, wanted, headers={"Prefer": "wait=20"})
        assert given(answer)["count"] == 3
        answer = run(
            server, {"count": {"href": f"{origin.url}/no"}}, headers={"Prefer": "respond-async"}
        )
        assert fault(answer)["input"] == "count.href"


def test_the_address_that_was_checked_is_the_one_that_is_asked(origin):
    """A name that means another address from one question to the next."""
    asked = []

    def resolve(host, _port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    href = origin.put("/name", "x")
    name = f"rebound.example:{origin.port}"
    rules = Rules((), (name,), resolve)
    found = outbound.get(f"http://{name}/name", rules, Limits(1000, 5))
    assert (found.content, asked) == (b'"x"', ["rebound.example"])
    assert origin.asked[-1] == ("GET", "/name", name)
    assert href


def test_a_certificate_must_be_the_hosts(tmp_path, monkeypatch, unavailable, script):
    if not shutil.which("openssl"):
        unavailable("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-keyout", key, "-out", certificate, "-subj", "/CN=data.example",
         "-addext", "subjectAltName=DNS:data.example"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with script("origin_server").serving() as secure:
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        secure.put("/one", 1)
        names = [f"{name}:{secure.port}" for name in ("data.example", "other.example")]
        rules = Rules((), names, lambda *_: ["127.0.0.1"])
        with pytest.raises(outbound.Unreachable):  # nobody vouches for it
            outbound.get(f"https://{names[0]}/one", rules, Limits(1000, 5))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert outbound.get(f"https://{names[0]}/one", rules, Limits(1000, 5)).content == b"1"
        with pytest.raises(outbound.Unreachable):  # another name
            outbound.get(f"https://{names[1]}/one", rules, Limits(1000, 5))
        with pytest.raises(outbound.Unreachable, match="within"):
            outbound.get(f"https://{names[0]}/hang", rules, Limits(1000, 0.5))
