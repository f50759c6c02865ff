"""Jobs over HTTP: the rules of the standard, on real worker processes."""

import re
import time
from datetime import datetime, timedelta

import pytest
import requests
from owslib.ogcapi.processes import Processes
from pygeoapi.openapi import validate_openapi_document

EX = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
GEOJSON = "application/geo+json"
ASYNC = {"Prefer": "respond-async"}
OPEN = ("accepted", "running")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def post(server, process="alpha", headers=ASYNC, **body):
    inputs = body.pop("inputs", {"name": "x"})
    address = f"{server}/processes/{process}/execution"
    return requests.post(address, json={"inputs": inputs, **body}, headers=headers, timeout=30)


def get(address, **options):
    return requests.get(address, timeout=20, **options)


def ended(location, seconds=20):
    until = time.monotonic() + seconds
    while (info := get(location).json())["status"] in OPEN:
        assert time.monotonic() < until, info
        time.sleep(0.02)
    return info


def running(location):
    until = time.monotonic() + 20
    while (info := get(location).json())["status"] == "accepted":
        assert time.monotonic() < until, info
        time.sleep(0.01)
    return info


def links(info):
    return {link["rel"]: link["href"] for link in info["links"]}


def problem(answer):
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json()["type"]


@pytest.fixture(scope="module")
def server(job_server):
    """Its workers are warm."""
    assert post(job_server, headers={"Prefer": "wait=20"}).status_code == 200
    return job_server


def test_a_job_is_made_watched_and_fetched(server):  # rows 2, 8, 9, 10, 11, 38
    answer = post(server, inputs={"name": "x", "steps": 50})
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "respond-async"
    location, made = answer.headers["location"], answer.json()
    assert location == f"{server}/jobs/{made['jobID']}"
    assert (made["type"], made["processID"]) == ("process", "alpha")
    seen, messages = [made], {running(location)["message"]}
    while seen[-1]["status"] in OPEN:
        seen.append(get(location).json())
        messages.add(seen[-1]["message"])
        time.sleep(0.02)
    for info in seen:
        assert None not in info.values()
        assert all(TIME.fullmatch(info[n]) for n in ("created", "updated"))
        assert (REL + "results" in links(info)) == (info["status"] == "successful")
        assert {"self", "monitor", "alternate", "up"} <= links(info).keys()
    assert "started" not in made
    assert [info["progress"] for info in seen] == sorted(info["progress"] for info in seen)
    assert len([message for message in messages if re.match(r"step \d+ of 50", message)]) > 1
    done = seen[-1]
    assert (done["status"], done["progress"]) == ("successful", 100)
    assert done["created"] <= done["started"] < done["finished"] <= done["updated"]
    result = get(links(done)[REL + "results"])
    assert result.headers["content-type"] == GEOJSON
    found = result.json()["lab"]
    assert (found["process"], found["inputs"]["name"]) == ("alpha", "x")
    assert found["base_url"] == server
    assert found["request_id"] == answer.headers["x-request-id"]


def test_results_are_not_ready_before_their_time(server):
    location = post(server, inputs={"name": "x", "pause": 0.4}).headers["location"]
    assert problem(get(f"{location}/results")) == (404, EX + "result-not-ready")
    running(location)
    assert problem(get(f"{location}/results/features")) == (404, EX + "result-not-ready")
    assert ended(location)["status"] == "successful"


@pytest.mark.parametrize("path", ["", "/results", "/results/features"])
@pytest.mark.parametrize("job", ["nope", "9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad", "..%5c..%5cetc"])
def test_an_unknown_job_is_a_404(server, job, path):
    assert problem(get(f"{server}/jobs/{job}{path}")) == (404, EX + "no-such-job")
    answer = requests.delete(f"{server}/jobs/{job}", timeout=10)
    assert problem(answer) == (404, EX + "no-such-job")


# Prefer


@pytest.mark.parametrize(
    ("prefer", "status", "applied"),
    [
        ("Respond-Async", 201, "respond-async"),
        ("return=minimal, respond-async", 201, "respond-async"),
        ("respond-async, wait=0", 201, "respond-async, wait=0"),
        ("respond-async; foo=bar, WAIT=10", 200, "wait=10"),
        ('wait="10"', 200, "wait=10"),
        ("wait=9999", 200, "wait=20"),  # the most that this server waits
        ("wait=soon", 200, None),
        ("respond-sync", 200, None),
    ],
)
def test_preferences_in_all_spellings(server, prefer, status, applied):  # rows 18 and 19
    answer = post(server, headers={"Prefer": prefer})
    assert answer.status_code == status
    assert answer.headers.get("preference-applied") == applied
    assert ("location" in answer.headers) == (status == 201)


def test_who_does_not_want_to_wait_longer_gets_a_job(server):
    begun = time.monotonic()
    answer = post(server, headers={"Prefer": "wait=1"}, inputs={"name": "x", "pause": 30})
    assert 0.9 < time.monotonic() - begun < 10
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "wait=1"
    requests.delete(answer.headers["location"], timeout=10)


def test_a_job_that_was_waited_for_is_linked(server):
    answer = post(server, headers={"Prefer": "wait=10"})
    address, _, rel = answer.headers["link"].partition("; ")
    assert rel == "rel=monitor"
    assert get(address.strip("<>")).json()["status"] == "successful"
    failed = post(server, headers={"Prefer": "wait=10"}, inputs={"name": "x", "fail": "source"})
    assert failed.status_code == 502


def test_the_description_decides_between_ways(server):  # row 20
    assert post(server, "patient", headers={}).status_code == 201
    assert post(server, "swift").status_code == 200
    assert post(server, headers={}).status_code == 200
    description = get(f"{server}/processes/alpha").json()
    assert description["jobControlOptions"] == ["sync-execute", "async-execute", "dismiss"]


def test_no_job_is_made_of_a_sync_call(server):  # row 21
    newest = lambda: [job["jobID"] for job in get(f"{server}/jobs?limit=1").json()["jobs"]]  # noqa: E731
    before = newest()
    answer = post(server, headers={})
    assert not {"Location", "Link", "Preference-Applied"} & answer.headers.keys()
    assert newest() == before


def test_a_wrong_request_makes_no_job(server):
    answer = post(server, inputs={"nme": "x"})
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert post(server, outputs={"nope": {}}).json()["type"] == EX + "no-such-output"
    assert problem(post(server, "nope")) == (404, EX + "no-such-process")


# Results


def result_of(server, process="many", **body):
    location = post(server, process, **body).headers["location"]
    assert ended(location)["status"] == "successful"
    return f"{location}/results"


def test_results_have_the_shape_that_was_asked_for(server):  # rows 12 to 17
    document = get(result_of(server, inputs={"name": "x", "count": 3}))
    assert document.json()["count"] == 3
    assert document.json()["preview"]["encoding"] == "base64"
    raw = get(result_of(server, response="raw"))
    assert raw.headers["content-type"].startswith("multipart/related; boundary=")
    one = get(result_of(server, outputs={"count": {}}, inputs={"name": "x", "count": 7}))
    assert (one.headers["content-type"], one.content) == ("application/json", b"7")
    wrapped = get(result_of(server, outputs={"count": {}}, response="document"))
    assert wrapped.json() == {"count": 0}
    picture = {"features": {"format": {"mediaType": "image/png"}}}
    found = get(result_of(server, outputs=picture))
    assert (found.headers["content-type"], found.content) == ("image/png", b"\x89PNG")
    nothing = get(result_of(server, outputs={}))
    assert (nothing.status_code, nothing.content) == (204, b"")


def test_outputs_can_be_chosen_afterwards(server):  # row 17
    results = result_of(server, inputs={"name": "x", "count": 3})
    assert get(f"{results}/count").json() == 3
    assert get(f"{results}/preview").content == b"\x89PNG"
    assert get(f"{results}?outputs=count").json() == 3
    assert get(f"{results}?outputs=count,preview").json().keys() == {"count", "preview"}
    for path in ("/cuont", "?outputs=cuont"):
        answer = get(results + path)
        assert problem(answer) == (400, EX + "no-such-output")
        assert "Did you mean count?" in answer.text


def test_results_are_negotiated(server):  # row 5
    results = result_of(server)
    for headers in ({"Accept": None}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        assert get(f"{results}/features", headers=headers).headers["content-type"] == GEOJSON
    page = get(f"{results}/features?f=html")
    assert page.headers["content-type"].startswith("text/html")
    assert get(f"{results}/features?f=json").headers["content-type"] == GEOJSON
    assert get(f"{results}/preview", headers={"Accept": "image/*"}).status_code == 200
    assert get(f"{results}/preview", headers={"Accept": GEOJSON}).status_code == 406
    head = requests.head(results, timeout=10)
    assert (head.status_code, head.content) == (200, b"")


def test_who_accepts_only_json_still_gets_a_job(server):
    picture = {"preview": {}}
    answer = post(server, "many", {**ASYNC, "Accept": "application/json"}, outputs=picture)
    assert answer.status_code == 201
    ended(answer.headers["location"])
    results = f"{answer.headers['location']}/results"
    assert get(results).headers["content-type"] == "image/png"


def test_one_output_can_be_read_in_parts(server):
    """As GDAL does through /vsicurl/."""
    address = f"{result_of(server)}/preview"
    head = requests.head(address, timeout=10)
    assert (head.headers["content-length"], head.headers["accept-ranges"]) == ("4", "bytes")
    part = get(address, headers={"Range": "bytes=1-2", "Accept-Encoding": "gzip"})
    assert (part.status_code, part.content) == (206, b"PN")
    assert get(address, headers={"Range": "bytes=9-"}).status_code == 416
    known = get(address, headers={"If-None-Match": head.headers["etag"]})
    assert (known.status_code, known.headers["vary"]) == (304, "Accept")


@pytest.mark.parametrize(
    ("fail", "status"), [("input", 400), ("source", 502), ("timeout", 504), ("model", 503)]
)
def test_a_failed_job_tells_its_cause(server, fail, status):  # rows 22 and 23
    answer = post(server, inputs={"name": "x", "fail": fail})
    info = ended(answer.headers["location"])
    assert info["status"] == "failed"
    assert info["message"]
    found = get(links(info)[REL + "exceptions"])
    sync = post(server, headers={}, inputs={"name": "x", "fail": fail}).json()
    assert problem(found) == (status, sync["type"])
    assert found.json()["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert {**found.json(), "instance": ""} == {**sync, "instance": ""}


def test_a_bug_in_a_job_tells_nothing(server):
    info = ended(post(server, inputs={"name": "x", "fail": "bug"}).headers["location"])
    found = get(links(info)[REL + "exceptions"])
    assert found.status_code == 500
    assert "secret" not in found.text + str(info)


# The list


def test_the_list_goes_from_new_to_old_in_pages(server):  # rows 27 and 28
    made = [post(server).json()["jobID"] for _ in range(8)][::-1]
    address, seen = f"{server}/jobs?limit=2&processID=alpha", []
    for _ in range(3):
        listed = get(address).json()
        assert len(listed["jobs"]) == 2
        seen += [job["jobID"] for job in listed["jobs"]]
        assert all(None not in job.values() for job in listed["jobs"])
        post(server)  # does not shift the pages
        address = links(listed)["next"]
    assert seen == made[:6]
    back = links(listed)
    for expected in (made[2:4], made[0:2]):
        listed = get(back["prev"]).json()
        assert [job["jobID"] for job in listed["jobs"]] == expected
        back = links(listed)
    assert {"prev", "next"} <= back.keys()  # three were made since
    assert [job["jobID"] for job in get(back["next"]).json()["jobs"]] == made[2:4]
    assert len(get(f"{server}/jobs").json()["jobs"]) == 10
    assert "next" not in links(get(f"{server}/jobs?limit=10000").json())


def test_the_list_is_filtered(server):  # row 26
    job = ended(post(server, "beta", inputs={"name": "x", "pause": 0.3}).headers["location"])
    name, created = job["jobID"], job["created"]
    later = datetime.fromisoformat(created) + timedelta(seconds=0.001)
    after = later.isoformat().replace("+00:00", "Z")
    day = created[:10]
    for query, found in {
        "processID=beta": True,
        "processID=alpha,beta": True,
        "processID=alpha": False,
        "processID=nope": False,
        "status=successful": True,
        "status=running,accepted": False,
        "status=failed&status=successful": True,
        "type=process": True,
        f"datetime={created}": True,
        f"datetime={day}T00:00:00Z/..": True,
        f"datetime={after}/..": False,
        f"datetime=../{created}": True,
        f"datetime=/{day}": True,
        f"datetime={day}": True,
        f"datetime={day}T00:00:00%2B00:00/{day}T23:59:59.999+00:00": True,
        "datetime=2001-01-01/2002-01-01": False,
        "minDuration=0.3": True,
        "minDuration=30": False,
        "maxDuration=30&minDuration=0": True,
        "maxDuration=0.2": False,
    }.items():
        listed = get(f"{server}/jobs?limit=1000&{query}").json()["jobs"]
        assert (name in [one["jobID"] for one in listed]) == found, query
        assert all(one["processID"] for one in listed)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "limit=10001",
        "type=thing",
        "status=done",
        "status=succesful",
        "datetime=yesterday",
        "datetime=2026-01-01T00:00:00",
        "datetime=../..",
        "datetime=2026-01-02/2026-01-01",
        "minDuration=-1",
        "maxDuration=nan",
        "cursor=1",
        "f=zzz",
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(server, query):
    answer = get(f"{server}/jobs?{query}")
    assert problem(answer) == (400, EX + "invalid-query-parameter-value")
    assert answer.json()["errors"][0]["input"] == query.partition("=")[0]


def test_the_list_and_a_job_have_pages(server):
    location = post(server, inputs={"name": "<b>"}).headers["location"]
    for address in (f"{server}/jobs", location):
        for how in ({"headers": {"Accept": "text/html"}}, {"params": {"f": "html"}}):
            page = get(address, **how)
            assert page.headers["content-type"].startswith("text/html")
            assert location in page.text


# Dismissal


def test_a_dismissed_job_stays_readable_without_results(server):  # rows 6 and 7
    location = post(server, inputs={"name": "x", "pause": 30}).headers["location"]
    running(location)
    answer = requests.delete(location, timeout=10)
    assert (answer.status_code, answer.json()["status"]) == (200, "dismissed")
    assert "finished" in answer.json()
    assert get(location).json()["status"] == "dismissed"
    assert problem(get(f"{location}/results")) == (410, "urn:samgis:problem:job-dismissed")
    again = requests.delete(location, timeout=10)
    assert problem(again) == (410, "urn:samgis:problem:job-dismissed")


def test_a_finished_job_is_dismissed_with_its_results(server):
    location = post(server).headers["location"]
    ended(location)
    assert requests.delete(location, timeout=10).json()["status"] == "dismissed"
    assert get(f"{location}/results").status_code == 410


# What is said about it


def test_jobs_are_declared_and_documented(server):  # rows 34 and 35
    classes = get(f"{server}/conformance").json()["conformsTo"]
    assert {CONF + "job-list", CONF + "dismiss"} <= set(classes)
    document = get(f"{server}/openapi").json()
    assert validate_openapi_document(document)
    assert {"get", "delete"} <= document["paths"]["/jobs/{jobID}"].keys()
    post_ = document["paths"]["/processes/alpha/execution"]["post"]
    assert "Location" in post_["responses"]["201"]["headers"]
    named = {p["$ref"].rpartition("/")[2] for p in document["paths"]["/jobs"]["get"]["parameters"]}
    assert {"limit", "status", "datetime", "minDuration", "maxDuration", "type"} <= named
    assert f"{server}/jobs" in links(get(server).json()).values() or "/jobs" in get(server).text


def test_other_methods_are_not_offered(server):
    assert requests.post(f"{server}/jobs", timeout=10).status_code == 405
    assert get(f"{server}/jobs/..%2f..%2fetc").status_code == 404
    assert requests.put(f"{server}/jobs/x", timeout=10).headers["allow"]
    assert requests.options(f"{server}/jobs/x", timeout=10).headers["allow"] == (
        "DELETE, GET, HEAD, OPTIONS"
    )


def test_links_have_the_public_address(make_job_server, tmp_path):
    with make_job_server(tmp_path, public_url="https://maps.example.org/samgis") as server:
        answer = post(server)
        base = "https://maps.example.org/samgis"
        assert answer.headers["location"].startswith(f"{base}/jobs/")
        location = f"{server}/jobs/{answer.json()['jobID']}"
        info = ended(location)
        assert all(link["href"].startswith(base) for link in info["links"])
        assert get(f"{location}/results").json()["lab"]["base_url"] == base


def test_owslib_makes_polls_and_fetches(server):
    client = Processes(f"{server}/")
    made = client.execute("alpha", {"name": "x"}, async_=True)
    try:
        path = f"jobs/{made['jobID']}"
        assert client.response_headers["location"].endswith(path)
        while (info := client._request(path=path))["status"] in OPEN:
            time.sleep(0.02)
        assert info["status"] == "successful"
        found = client._request(path=f"{path}/results")
        assert found["features"]["value"]["lab"]["inputs"] == {"name": "x"}
        gone = client._request(method="DELETE", path=path)
        assert gone["status"] == "dismissed"
    finally:
        client.headers.pop("Prefer", None)  # it keeps it for every client to come
