"""The rules of OGC API - Processes over HTTP; `row` means a row of stock pygeoapi's deviations."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import lab
import pytest
import requests
import yaml
from owslib.ogcapi.processes import Processes

from samgis_process.settings import LimitSettings

EX = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
GEOJSON = "application/geo+json"
PAGES = ["/", "/conformance", "/openapi", "/processes", "/processes/alpha"]


def run(server, process="alpha", headers=None, **body):
    inputs = body.pop("inputs", {"name": "x"})
    address = f"{server}/processes/{process}/execution"
    return requests.post(address, json={"inputs": inputs, **body}, headers=headers, timeout=20)


def send(server, data, **headers):
    headers = {"Content-Type": "application/json"} | headers
    address = f"{server}/processes/alpha/execution"
    return requests.post(address, data=data, headers=headers, timeout=20)


def errors(answer):
    return {fault["input"]: fault for fault in answer.json()["errors"]}


def bare_get(address, **headers):
    session = requests.Session()
    session.headers.clear()
    return session.get(address, headers={"Accept": None, **headers}, timeout=10)


# Representations


@pytest.mark.parametrize("path", [*PAGES, "/health", "/nope", "/processes/nope"])
@pytest.mark.parametrize("accept", [None, "*/*", "application/xml", "image/png"])
def test_json_is_the_default_everywhere(server, path, accept):
    answer = bare_get(server + path, Accept=accept)
    assert answer.headers["content-type"].split(";")[0] in {
        "application/json",
        "application/vnd.oai.openapi+json",
    }
    answer.json()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("how", ["accept", "f"])
def test_pages_are_there_for_browsers(server, path, how):
    query = "?f=html" if how == "f" else ""
    answer = requests.get(
        server + path + query, headers=BROWSER if how == "accept" else {}, timeout=10
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "Accept" in answer.headers["vary"]
    assert "this-server.invalid" not in answer.text
    assert "localhost:5000" not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_f_outweighs_accept(server, path):
    answer = requests.get(f"{server}{path}?f=json", headers=BROWSER, timeout=10)
    assert "json" in answer.headers["content-type"]


def test_weights_of_accept_count(server):  # row 36
    headers = {"Accept": "text/html;q=0.1,application/json;q=0.9"}
    answer = requests.get(f"{server}/processes", headers=headers, timeout=10)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", PAGES)
def test_an_unknown_format_is_refused(server, path):
    answer = requests.get(f"{server}{path}?f=zzz", timeout=10)
    assert answer.status_code == 400
    assert answer.json()["status"] == 400


def test_every_answer_bears_its_request_id(server):
    for path in ["/", "/nope", "/processes", "/static/img/logo.png"]:
        assert requests.get(server + path, timeout=10).headers["x-request-id"]
    answer = run(server, inputs={})
    assert answer.json()["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    good = run(server)
    assert good.json()["lab"]["request_id"] == good.headers["x-request-id"]


# What is on offer


def test_the_landing_page_leads_everywhere(server):
    links = requests.get(server, timeout=10).json()["links"]
    rels = {link["rel"] for link in links}
    processes = "http://www.opengis.net/def/rel/ogc/1.0/processes"
    assert {"service-desc", "service-doc", "conformance", processes} <= rels
    for link in links:
        assert link["href"].startswith(server)
        assert requests.get(link["href"], timeout=10).status_code == 200


def test_conformance_declares_what_is_met(server):  # row 35
    classes = requests.get(f"{server}/conformance", timeout=10).json()["conformsTo"]
    ours = {name.removeprefix(CONF) for name in classes if name.startswith(CONF)}
    assert ours == {"core", "ogc-process-description", "json", "html", "oas30"}


def test_the_list_links_to_its_next_part(server):  # row 39
    first = requests.get(f"{server}/processes?limit=2", timeout=10).json()
    assert [one["id"] for one in first["processes"]] == ["alpha", "beta"]
    assert "inputs" not in first["processes"][0]
    (following,) = [link["href"] for link in first["links"] if link["rel"] == "next"]
    second = requests.get(following, timeout=10).json()
    assert [one["id"] for one in second["processes"]] == ["many"]
    assert {link["rel"] for link in second["links"]} == {"self", "alternate", "prev"}
    (before,) = [link["href"] for link in second["links"] if link["rel"] == "prev"]
    assert requests.get(before, timeout=10).json()["processes"] == first["processes"]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "10001", "1.5", "", "٣"])
def test_a_bad_limit_is_refused(server, limit):
    answer = requests.get(f"{server}/processes", params={"limit": limit}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["type"] == EX + "invalid-query-parameter-value"
    assert errors(answer)["limit"]["limit"] == "a whole number, 1 to 10000"


def test_a_description_has_its_links(server):
    one = requests.get(f"{server}/processes/alpha", timeout=10).json()
    by_rel = {link["rel"]: link["href"] for link in one["links"]}
    assert by_rel["http://www.opengis.net/def/rel/ogc/1.0/execute"] == (
        f"{server}/processes/alpha/execution"
    )
    assert {"self", "alternate"} <= by_rel.keys()
    assert one["jobControlOptions"] == ["sync-execute"]


def test_reading_a_description_changes_nothing(server):  # row 20
    before = requests.get(f"{server}/processes/alpha", timeout=10).json()
    requests.get(f"{server}/processes/alpha?f=html", timeout=10)
    requests.get(f"{server}/processes?f=html", timeout=10)
    assert requests.get(f"{server}/processes/alpha", timeout=10).json() == before
    answer = run(server, headers={"Prefer": "respond-async"})
    assert answer.status_code == 200


def test_an_unknown_process_is_named(server):  # row 4
    for answer in (
        requests.get(f"{server}/processes/alpa", timeout=10),
        run(server, "alpa"),
    ):
        assert answer.status_code == 404
        assert answer.json()["type"] == EX + "no-such-process"
        assert "Did you mean alpha?" in answer.json()["detail"]


def test_the_openapi_document_is_complete_in_itself(server):  # row 34
    answer = requests.get(f"{server}/openapi", timeout=10)
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = answer.json()
    refs = set(json.dumps(document).split('"$ref": "')[1:])
    assert all(ref.startswith("#/components/") for ref in refs)
    assert document["servers"] == [{"url": "/"}]
    post = document["paths"]["/processes/alpha/execution"]["post"]
    assert {"200", "204", "400", "406", "413", "415", "500", "503"} <= post["responses"].keys()
    assert GEOJSON in post["responses"]["200"]["content"]
    assert "/jobs" not in document["paths"]


def test_a_source_that_is_down_is_no_reason_to_restart(make_server):
    with make_server(health=lambda: {"status": "degraded"}) as server:
        answer = requests.get(f"{server}/health", timeout=10)
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_health(server):
    answer = requests.get(f"{server}/health", timeout=10)
    assert answer.json()["status"] == "ok"
    assert answer.json()["models"] == {"tiny": "ok"}


# Execution


def test_one_output_comes_bare(server):  # row 13
    answer = run(server)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == GEOJSON
    assert answer.json()["lab"]["inputs"] == {"name": "x"}


def test_no_job_is_made_of_a_sync_call(server):  # row 21
    answer = run(server)
    assert not {"Location", "Link", "Preference-Applied"} & answer.headers.keys()


@pytest.mark.parametrize("accept", ["application/json", "*/*", GEOJSON, "application/*", ""])
def test_who_takes_json_gets_geojson(server, accept):
    assert run(server, headers={"Accept": accept}).headers["content-type"] == GEOJSON


def test_an_unavailable_media_type_is_406(server):
    answer = run(server, headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert errors(answer)["Accept"]["limit"] == GEOJSON
    wanted = {"features": {"format": {"mediaType": "image/png"}}}
    answer = run(server, outputs=wanted)
    assert answer.status_code == 406
    assert errors(answer)["outputs.features.format.mediaType"]["limit"] == GEOJSON


def test_results_are_shown_to_browsers_as_a_page(server):
    answer = run(server, inputs={"name": "<script>"}, headers=BROWSER)
    assert answer.headers["content-type"].startswith("text/html")
    assert "&lt;script&gt;" in answer.text


def test_the_document_is_keyed_by_output(server):  # row 12
    answer = run(server, response="document")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["features"]["mediaType"] == GEOJSON
    assert answer.json()["features"]["value"]["type"] == "FeatureCollection"


def test_several_outputs_come_as_a_document(server):  # rows 13 and 15
    found = run(server, "many", inputs={"name": "x", "count": 3}).json()
    assert found["count"] == 3
    assert found["preview"] == {
        "value": "iVBORw==",
        "encoding": "base64",
        "mediaType": "image/png",
    }


def test_several_raw_outputs_come_in_parts(server):
    answer = run(server, "many", response="raw", outputs={"count": {}, "preview": {}})
    assert answer.headers["content-type"].startswith("multipart/related; boundary=")
    assert answer.content.count(b"Content-ID: <") == 2
    assert b"\x89PNG" in answer.content


def test_a_media_type_can_be_chosen(server):
    wanted = {"features": {"format": {"mediaType": "image/png"}}}
    answer = run(server, "many", outputs=wanted)
    assert (answer.headers["content-type"], answer.content) == ("image/png", b"\x89PNG")
    answer = run(server, "many", outputs={"features": {}}, headers={"Accept": "image/png"})
    assert answer.content == b"\x89PNG"


def test_no_outputs_no_content(server):
    answer = run(server, outputs={})
    assert (answer.status_code, answer.content) == (204, b"")


def test_an_unknown_output_is_refused(server):  # row 13
    answer = run(server, outputs={"feature": {}})
    assert answer.status_code == 400
    assert answer.json()["type"] == EX + "no-such-output"
    assert errors(answer)["outputs.feature"]["remedy"] == "Did you mean features?"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"outputs": {"features": {"transmissionMode": "refer"}}}, "outputs.features"),
        ({"outputs": {"features": {"transmissionMode": {}}}}, "outputs.features"),
        ({"outputs": "features"}, "outputs"),
        ({"outputs": {"features": 1}}, "outputs.features"),
        ({"response": "docment"}, "response"),
        ({"response": ["raw"]}, "response"),
        ({"subscriber": {"successUri": "http://127.0.0.1/"}}, "subscriber"),  # row 24
        ({"subscriber": "x"}, "subscriber"),
        ({"inputs": [1]}, "inputs"),
        ({"output": {}}, "output"),
    ],
)
def test_a_wrong_request_is_explained(server, body, place):
    answer = run(server, **body)
    assert answer.status_code == 400
    assert any(name.startswith(place) for name in errors(answer))


@pytest.mark.parametrize(
    "prefer",
    ["respond-async", "Respond-Async; wait=5", "respond-sync", "return=minimal, foo", ",;,=", "é"],
)
def test_what_is_preferred_in_vain_is_ignored(server, prefer):  # row 18
    answer = run(server, headers={"Prefer": prefer.encode("latin-1")})
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


def test_all_faults_are_told_at_once(server):  # row 3
    inputs = {
        "nme": "x",
        "count": 11,
        "prompt": [{"type": "point", "data": {"lat": 91}}, {"type": "circle", "data": {}}],
    }
    answer = run(server, inputs=inputs)
    assert answer.status_code == 400
    found = errors(answer)
    assert found["nme"]["remedy"] == "Did you mean name?"
    assert found["name"]["message"] == "is missing"
    assert found["count"]["limit"] == "at most 10"
    assert found["prompt[0].data.lat"]["message"] == "91 is not at most 90"
    assert "prompt[0].data.lng" in found
    assert found["prompt[1].type"]["limit"] == '"point" or "rectangle"'


@pytest.mark.parametrize("body", [b"", b"{}", b"  ", b'{"inputs": null}'])
def test_an_empty_body_lacks_what_is_required(server, body):  # row 25
    answer = send(server, body)
    assert answer.status_code == 400
    assert errors(answer)["name"]["message"] == "is missing"


class Undemanding(lab.Lab):
    """Needs no input."""

    @property
    def description(self):
        return super().description | {"inputs": {}}


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_an_empty_body_will_do_where_no_input_is_required(make_server, body):  # row 25
    with make_server(processes={"alpha": Undemanding("alpha")}) as server:
        answer = send(server, body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["lab"]["inputs"] == {}


@pytest.mark.parametrize("body", [b"[1]", b'"x"', b"1", b"null", b"{", b"\xff{}", b'{"a":1,}'])
def test_what_is_no_object_is_refused(server, body):  # row 24
    answer = send(server, body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert "body" in errors(answer)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_found(server, number):
    body = '{"inputs":{"name":"x","prompt":[{"type":"point","data":{"lat":%s,"lng":1}}]}}'
    answer = send(server, body % number)
    assert answer.status_code == 400
    assert errors(answer)["prompt[0].data.lat"]["limit"] == "a finite number"


def test_deep_nesting_is_refused(server):
    for depth in (900, 50_000):
        answer = send(server, b'{"inputs":{"name":' + b"[" * depth + b"]" * depth + b"}}")
        assert answer.status_code == 400


@pytest.mark.parametrize("media_type", ["text/xml", "application/x-www-form-urlencoded"])
def test_another_content_type_is_415(server, media_type):
    answer = send(server, b"{}", **{"Content-Type": media_type})
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "a/b+json"])
def test_json_by_any_name_is_read(server, media_type):
    answer = send(server, b'\xef\xbb\xbf{"inputs":{"name":"x"}}', **{"Content-Type": media_type})
    assert answer.status_code == 200


@pytest.mark.parametrize("content", [b"{}", (b"{}" for _ in range(1))])
def test_a_body_of_no_type_is_refused(server, content):
    answer = requests.post(f"{server}/processes/alpha/execution", data=content, timeout=10)
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://maps.example.net"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
def test_pages_of_other_sites_execute_nothing(server, headers, status):
    answer = run(server, headers=headers)
    assert answer.status_code == status
    own = run(server, headers={"Origin": server})
    assert own.status_code == 200
    dismissed = requests.delete(f"{server}/jobs/x", headers=headers, timeout=10)
    assert (dismissed.status_code == 403) == (status == 403)
    assert requests.get(f"{server}/processes", headers=headers, timeout=10).status_code == 200


def test_a_large_body_is_413(server):
    whole = send(server, b" " * 200_001)
    chunked = send(server, (b" " * 50_000 for _ in range(20)))
    elsewhere = requests.post(f"{server}/conformance", data=b" " * 300_000, timeout=10)
    assert [whole.status_code, chunked.status_code] == [413, 413]
    assert "200000 bytes" in whole.json()["detail"]
    assert elsewhere.status_code == 413


# Failures


@pytest.mark.parametrize(
    ("fail", "status"),
    [("input", 400), ("no-data", 400), ("source", 502), ("timeout", 504), ("model", 503)],
)
def test_a_failure_tells_its_cause(server, fail, status):  # row 22
    answer = run(server, inputs={"name": "x", "fail": fail})
    assert answer.status_code == status == answer.json()["status"]
    assert answer.json()["type"].startswith("urn:samgis:problem:")
    assert answer.json()["detail"]


def test_a_bug_tells_nothing(server, caplog):  # row 22
    answer = run(server, inputs={"name": "x", "fail": "bug"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["detail"]
    assert "a secret path" in caplog.text
    assert answer.headers["x-request-id"] in caplog.text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/problem+json", "application/problem+json"),
        ("application/problem+json, application/json;q=0.5", "application/problem+json"),
        (BROWSER["Accept"], "text/html"),
        ("image/png", "application/json"),
    ],
)
def test_problems_are_negotiated(server, accept, media_type):
    answer = run(server, inputs={"<b>": 1}, headers={"Accept": accept})
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert "<b>" not in answer.text or media_type != "text/html"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/jobs", 404),
        ("GET", "/collections/nope", 404),
        ("DELETE", "/", 405),
        ("GET", "/processes/alpha/execution", 405),
        ("DELETE", "/processes/alpha", 405),
        ("POST", "/processes", 405),
    ],
)
def test_plain_errors_are_problems(server, method, path, status):  # row 37
    answer = requests.request(method, server + path, timeout=10)
    assert answer.status_code == status == answer.json()["status"]
    assert "allow" in answer.headers or status == 404


def test_options_and_head_are_answered(server):  # row 37
    answer = requests.options(f"{server}/processes/alpha/execution", timeout=10)
    assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")
    answer = requests.head(f"{server}/processes/alpha", timeout=10)
    assert (answer.status_code, answer.content) == (200, b"")


# Many at once


def test_answers_never_cross(server):  # row 1
    def call(number):
        process = ("alpha", "beta")[number % 2]
        answer = run(server, process, inputs={"name": str(number), "pause": 0.002})
        return answer.json()["lab"]["process"] == process and (
            answer.json()["lab"]["inputs"]["name"] == str(number)
        )

    with ThreadPoolExecutor(6) as clients:
        assert all(clients.map(call, range(120)))


@pytest.mark.alone
def test_overload_is_said_and_the_rest_still_answers(make_server):  # rows 32 and 33
    limits = LimitSettings(max_body_bytes=100_000, sync_workers=1, sync_queue=1)
    with make_server(limits=limits) as server, ThreadPoolExecutor(6) as clients:
        answers = [clients.submit(run, server, inputs={"name": "x", "pause": 1}) for _ in range(6)]
        time.sleep(0.3)
        begun = time.perf_counter()
        assert requests.get(f"{server}/conformance", timeout=10).status_code == 200
        assert requests.get(f"{server}/processes/alpha", timeout=10).status_code == 200
        assert time.perf_counter() - begun < 0.7
        found = [answer.result() for answer in answers]
    refused = [answer for answer in found if answer.status_code == 503]
    assert sorted(answer.status_code for answer in found) == [200, 200, 503, 503, 503, 503]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert refused[0].json()["type"] == "urn:samgis:problem:overloaded"


def test_a_client_that_leaves_frees_its_place(make_server):
    limits = LimitSettings(max_body_bytes=100_000, sync_workers=1, sync_queue=1)
    with make_server(limits=limits) as server:
        for _ in range(2):
            with pytest.raises(requests.Timeout):
                requests.post(
                    f"{server}/processes/alpha/execution",
                    json={"inputs": {"name": "x", "pause": 0.4}},
                    timeout=0.1,
                )
        time.sleep(1)
        assert run(server).status_code == 200


# Who may call, and from where


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]:80", 200),
        ("maps.example.org:8443", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.evil.example:5000", 400),
        ("", 400),
    ],
)
@pytest.mark.parametrize("path", ["/", "/processes", "/health"])
def test_only_known_hosts_are_served(server, host, status, path):
    answer = requests.get(server + path, headers={"Host": host}, timeout=10)
    assert answer.status_code == status
    if status == 400:
        fault = errors(answer)["Host"]
        assert "localhost" in fault["limit"]
        assert "samgis.server.allowed_hosts" in fault["remedy"]


def test_links_have_the_public_address(make_server):
    with make_server(public_url="https://maps.example.org/samgis/") as server:
        for path in ("/", "/processes", "/processes/alpha", "/processes?f=html"):
            text = requests.get(server + path, timeout=10).text
            assert "https://maps.example.org/samgis/processes" in text
            assert "127.0.0.1" not in text


def test_other_origins_are_let_in_only_where_configured(
    server, make_server, config_path, tmp_path
):
    origin = {"Origin": "https://elsewhere.example"}
    plain = requests.get(f"{server}/processes", headers=origin, timeout=10)
    assert "access-control-allow-origin" not in plain.headers
    path = tmp_path / "config.yml"
    path.write_text(config_path.read_text().replace("cors: false", "cors: true"))
    with make_server(path) as other:
        for answer in (
            requests.get(f"{other}/processes", headers=origin, timeout=10),
            run(other, headers=origin),
            run(other, headers=origin, inputs={"name": "x", "fail": "bug"}),
        ):
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "Retry-After" in answer.headers["access-control-expose-headers"]
        asked = {**origin, "Access-Control-Request-Method": "POST"}
        answer = requests.options(f"{other}/processes/alpha/execution", headers=asked, timeout=10)
        assert answer.status_code == 200


# Clients


def test_owslib_finds_its_way(server):
    client = Processes(f"{server}/")
    assert {one["id"] for one in client.processes()} == {"alpha", "beta", "many"}
    assert client.process("alpha")["inputs"]["name"]
    assert CONF + "core" in client.conformance()["conformsTo"]
    assert "/processes/alpha/execution" in client.api()["paths"]
    found = client.execute("alpha", {"name": "x"})
    assert found["features"]["value"]["lab"]["inputs"] == {"name": "x"}
    assert client.execute("alpha", {"name": "x"}, response="raw")["type"] == "FeatureCollection"
    with pytest.raises(RuntimeError, match="no-such-process"):
        client.process("nope")


def test_threads_end_with_the_server(make_server):
    before = set(threading.enumerate())
    with make_server() as server:
        run(server)
    until = time.monotonic() + 5
    while left := [one.name for one in set(threading.enumerate()) - before]:
        assert time.monotonic() < until, left
        time.sleep(0.02)


def test_a_link_has_any_members_and_those_that_we_do_not_know_are_not_obeyed(server):
    link = {"href": "http://127.0.0.1:9/x", "format": {"mediaType": "text/plain"},
            "method": "DELETE", "headers": {"A": "b"}, "body": "x"}  # fmt: skip
    answer = run(server, inputs={"name": link})
    assert answer.status_code == 400
    (fault,) = answer.json()["errors"]
    assert "href" in fault["message"]


def test_nothing_is_served_where_the_configuration_puts_nothing(server):
    for path in ("/collections", "/stac", "/stac/x", "/TileMatrixSets"):
        assert requests.get(server + path, timeout=10).status_code == 404, path
    landing = requests.get(f"{server}/?f=json", timeout=10).json()
    for link in landing["links"]:
        assert requests.get(link["href"], timeout=10).status_code != 404 or "/jobs" in link["href"]


def test_collections_of_the_configuration_have_pages_that_run_nothing(
    make_server, config_path, tmp_path
):
    (tmp_path / "a.csv").write_text("id,x,y\n1,8.5,47.3\n")
    document = yaml.safe_load(config_path.read_text())
    document["resources"]["places"] = {
        "type": "collection", "title": "Places", "description": "Places", "keywords": ["a"],
        "links": [], "extents": {"spatial": {"bbox": [-180, -90, 180, 90]}},
        "providers": [{"type": "feature", "name": "CSV", "data": str(tmp_path / "a.csv"),
                       "id_field": "id", "geometry": {"x_field": "x", "y_field": "y"}}],
    }  # fmt: skip
    path = tmp_path / "config.yml"
    path.write_text(yaml.safe_dump(document))
    with make_server(path) as server:
        listed = requests.get(f"{server}/collections?f=json", timeout=20)
        assert [one["id"] for one in listed.json()["collections"]] == ["places"]
        page = requests.get(f"{server}/collections?f=html", timeout=20)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_answers_say_their_language(server):
    for path in ("/processes", "/processes/alpha", "/processes/nope", "/"):
        assert requests.get(server + path, timeout=10).headers["content-language"].startswith("en")
