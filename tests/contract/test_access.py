"""Keys, users of a proxy, and whose jobs are whose: over HTTP, on real worker processes."""

import base64
import time

import pytest
import requests
import yaml

from samgis_process.server.keys import hashed, new_key
from samgis_process.settings import AccessSettings

ANN, BOB, OPS = new_key(), new_key(), new_key()
KEYS = [
    {"name": "ann", "sha256": hashed(ANN)},
    {"name": "bob", "sha256": hashed(BOB)},
    {"name": "ops", "sha256": hashed(OPS), "operator": True},
]
EX = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
ASYNC = {"Prefer": "respond-async"}
OPEN_PATHS = ["/", "/conformance", "/openapi", "/processes", "/processes/alpha"]


def key(text):
    return {"X-API-Key": text}


def user(name, **headers):
    return {"X-Remote-User": name, **headers}


def post(server, headers, process="alpha", **inputs):
    address = f"{server}/processes/{process}/execution"
    body = {"inputs": {"name": "x", **inputs}}
    return requests.post(address, json=body, headers=headers, timeout=30)


def get(address, headers=None, method="get"):
    return requests.request(method, address, headers=headers, timeout=20)


def ended(location, headers):
    until = time.monotonic() + 20
    while (info := get(location, headers).json())["status"] in ("accepted", "running"):
        assert time.monotonic() < until, info
        time.sleep(0.02)
    return info


@pytest.fixture(scope="module")
def server(make_job_server, tmp_path_factory):
    access = AccessSettings(keys=KEYS)
    with make_job_server(tmp_path_factory.mktemp("keys"), access=access) as address:
        yield address


@pytest.fixture(scope="module")
def behind_proxy(make_job_server, tmp_path_factory):
    """A server whose proxy is on this machine."""
    access = AccessSettings(user_header="X-Remote-User", proxies=["127.0.0.1"], keys=KEYS)
    with make_job_server(tmp_path_factory.mktemp("proxied"), access=access) as address:
        yield address


@pytest.fixture(scope="module")
def beside_proxy(make_server):
    """A server whose proxy is elsewhere."""
    access = AccessSettings(user_header="X-Remote-User", proxies=["192.0.2.1"], keys=KEYS)
    with make_server(access=access) as address:
        yield address


# Keys


def test_what_the_server_can_do_is_open(server):
    for path in OPEN_PATHS:
        assert get(server + path).status_code == 200, path
        assert get(f"{server}{path}?f=html").status_code == 200, path
    assert get(f"{server}/health").status_code == 200
    assert get(f"{server}/jobs", method="options").status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/processes/alpha/execution"),
        ("post", "/processes/nope/execution"),
        ("get", "/processes/alpha/execution"),
        ("get", "/jobs"),
        ("get", "/jobs/"),
        ("get", "/jobs/9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad"),
        ("delete", "/jobs/9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad"),
        ("get", "/results/9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad/item.json"),
        ("get", "/nope"),
        ("get", "//jobs"),
        ("get", "/collections"),
        ("post", "/processes"),
    ],
)
def test_everything_else_wants_a_key(server, method, path):
    answer = get(server + path, method=method)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="samgis-process"'
    assert answer.json()["type"] == "urn:samgis:problem:not-signed-in"
    assert "X-API-Key" in answer.json()["detail"]
    assert answer.headers["x-request-id"] in answer.json()["instance"]


@pytest.mark.parametrize(
    "headers", [key(ANN), {"Authorization": f"Bearer {ANN}"}, {"authorization": f"bearer  {ANN}"}]
)
def test_a_key_opens(server, headers):
    assert post(server, headers).status_code == 200
    assert get(f"{server}/jobs", headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        key(ANN[:-1]),
        key(""),
        key(hashed(ANN)),
        key("é".encode()),
        {"Authorization": f"Bearer {ANN}x"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer ", "X-Api-Key": "no"},
    ],
)
def test_a_wrong_key_opens_nothing_and_is_never_shown(server, headers):
    for path in ("/jobs", "/processes"):  # who sends one wants to know that it is wrong
        answer = get(server + path, headers)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert ANN[:-1] not in answer.text


def test_other_ways_to_sign_in_are_not_ours(server):
    basic = {"Authorization": "Basic YW5uOmFubg=="}
    assert get(f"{server}/processes", basic).status_code == 200
    assert get(f"{server}/jobs", basic).status_code == 401


def test_a_key_may_be_the_password_of_basic_but_not_in_clear_over_a_network(server, make_server):
    token = base64.b64encode(f"anybody:{ANN}".encode()).decode()
    basic = {"Authorization": f"Basic {token}"}
    assert get(f"{server}/jobs", basic).status_code == 200
    # With a proxy on it, this machine may be anybody.
    access = AccessSettings(keys=KEYS, proxies=["127.0.0.1"], everything=True)
    with make_server(access=access) as behind:
        refused = get(f"{behind}/processes", basic)
        assert refused.status_code == 401
        assert "over https alone" in refused.json()["detail"]
        secure = basic | {"X-Forwarded-Proto": "https"}
        assert get(f"{behind}/processes", secure).status_code == 200


def test_a_refused_body_is_not_read(server):
    big = {"inputs": {"name": "x" * 150_000}}
    answer = requests.post(f"{server}/processes/alpha/execution", json=big, timeout=10)
    assert answer.status_code == 401


def test_everything_can_be_closed(make_server):
    with make_server(access=AccessSettings(keys=KEYS, everything=True)) as server:
        for path in OPEN_PATHS:
            assert get(server + path).status_code == 401, path
            assert get(server + path, key(ANN)).status_code == 200, path
        assert get(f"{server}/health").status_code == 200


def test_answers_for_one_are_not_for_all(server):
    answer = get(f"{server}/jobs", key(ANN))
    assert answer.headers["cache-control"] == "private"
    assert {"Authorization", "X-API-Key"} <= set(answer.headers["vary"].split(", "))
    assert "cache-control" not in get(f"{server}/processes").headers


def test_other_sites_may_send_a_key(make_server, config_path, tmp_path):
    document = yaml.safe_load(config_path.read_text())
    document["server"]["cors"] = True
    path = tmp_path / "config.yml"
    path.write_text(yaml.safe_dump(document))
    site = {"Origin": "https://map.example.org"}
    asked = {"Access-Control-Request-Method": "POST"}
    asked |= {"Access-Control-Request-Headers": "x-api-key,content-type"}
    with make_server(path, access=AccessSettings(keys=KEYS)) as server:
        before = get(f"{server}/processes/alpha/execution", site | asked, "options")
        assert before.status_code == 200
        assert "x-api-key" in before.headers["access-control-allow-headers"]
        refused = post(server, site)
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "*"
        assert post(server, key(ANN) | site).status_code == 200


# Whose jobs


def addresses(location):
    paths = ("", "?f=html", "/results", "/results/features", "/results?outputs=features")
    return [location + path for path in paths]


def test_two_keys_never_see_each_others_jobs(server):
    made = {}
    for owner in (ANN, BOB):
        answer = post(server, {**key(owner), **ASYNC})
        assert answer.status_code == 201
        made[owner] = answer.headers["location"]
        assert ended(made[owner], key(owner))["status"] == "successful"
    for owner, other in ((ANN, BOB), (BOB, ANN), (ANN, OPS)):
        listed = get(f"{server}/jobs?limit=1000", key(other)).json()["jobs"]
        ids = {info["jobID"] for info in listed}
        assert made[owner].rsplit("/")[-1] not in ids
        assert made[owner] not in get(f"{server}/jobs?f=html&limit=1000", key(other)).text
        for address in addresses(made[owner]):
            assert get(address, key(owner)).status_code == 200
            assert unknown(get(address, key(other)), EX + "no-such-job")
            assert get(address).status_code == 401


def unknown(answer, type_):
    """Return whether the answer is that of an id that was never given."""
    if answer.headers["content-type"].startswith("text/html"):
        return answer.status_code == 404
    return (answer.status_code, answer.json()["type"]) == (404, type_)


def test_what_is_somebody_elses_is_answered_like_what_is_not_there(server):
    location = post(server, {**key(ANN), **ASYNC}).headers["location"]
    job_id = location.rsplit("/")[-1]
    never = "9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad"
    for method in ("get", "delete"):
        answers = [get(f"{server}/jobs/{one}", key(BOB), method) for one in (job_id, never)]
        theirs, none = (dict(one.json(), instance="") for one in answers)
        assert theirs == {**none, "detail": none["detail"].replace(never, job_id)}


def test_nobody_dismisses_anothers_job(server):
    location = post(server, {**key(ANN), **ASYNC}, trouble="spin").headers["location"]
    assert unknown(get(location, key(BOB), "delete"), EX + "no-such-job")
    assert get(location, method="delete").status_code == 401
    assert get(location, key(ANN)).json()["status"] in ("accepted", "running")
    assert get(location, key(ANN), "delete").json()["status"] == "dismissed"


def test_filters_and_pages_stay_within_ones_own(server):
    for owner in (ANN, BOB, ANN):
        ended(post(server, {**key(owner), **ASYNC}).headers["location"], key(owner))
    address, seen = f"{server}/jobs?limit=1&processID=alpha&status=successful", []
    while address:
        page = get(address, key(ANN)).json()
        seen += [info["jobID"] for info in page["jobs"]]
        address = next((one["href"] for one in page["links"] if one["rel"] == "next"), None)
    assert len(seen) >= 2
    assert all(get(f"{server}/jobs/{one}", key(ANN)).status_code == 200 for one in seen)
    assert all(get(f"{server}/jobs/{one}", key(BOB)).status_code == 404 for one in seen)


def test_a_job_that_is_waited_for_has_an_owner_too(server):
    answer = post(server, {**key(ANN), "Prefer": "wait=10"})
    assert answer.status_code == 200
    location = answer.headers["link"].partition(">")[0].strip("<")
    assert get(location, key(ANN)).status_code == 200
    assert unknown(get(location, key(BOB)), EX + "no-such-job")


# A proxy that signs people in


def test_users_of_a_proxy_have_jobs_of_their_own(behind_proxy):
    location = post(behind_proxy, user("ann", **ASYNC)).headers["location"]
    ended(location, user("ann"))
    for other in (user("bob"), key(ANN)):  # the key's name is not the user's
        assert unknown(get(location, other), EX + "no-such-job")
    assert get(f"{location}/results", user("ann")).status_code == 200
    assert get(location).status_code == 401
    assert "proxy" in get(location).json()["detail"]


def test_a_users_name_may_be_of_any_language(behind_proxy):
    name = "Ľudmila Čierna".encode()
    location = post(behind_proxy, user(name, **ASYNC)).headers["location"]
    assert get(location, user(name)).status_code == 200


@pytest.mark.parametrize("name", ["x" * 201, "a\tb", b"\x80\x81"])
def test_a_user_that_is_no_name_is_refused(behind_proxy, name):
    assert get(f"{behind_proxy}/jobs", user(name)).status_code == 401


def test_another_site_cannot_act_for_a_user(behind_proxy):
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        headers = user("ann", **{"Sec-Fetch-Site": site})
        assert post(behind_proxy, headers).status_code == status
        assert get(f"{behind_proxy}/jobs", headers).status_code == 200
    assert post(behind_proxy, {**key(ANN), "Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_nobody_else_may_name_a_user(beside_proxy):
    assert post(beside_proxy, key(ANN)).status_code == 200
    for headers in (user("ann"), user("ann", **key(ANN))):
        for path in ("/jobs", "/processes"):
            answer = get(beside_proxy + path, headers)
            assert answer.status_code == 401
            assert "counts only from the server's proxy" in answer.json()["detail"]


def test_links_are_those_that_the_proxys_client_knows(behind_proxy, server):
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "maps.example.org"}
    answer = post(behind_proxy, user("ann", **headers, **ASYNC))
    assert answer.headers["location"].startswith("https://maps.example.org/jobs/")
    for path in ("/", "/processes"):
        assert "https://maps.example.org/" in get(behind_proxy + path, headers).text
        assert "maps.example.org" not in get(server + path, headers).text
    evil = {"X-Forwarded-Host": "evil.example.org"}
    assert get(behind_proxy, evil).status_code == 400


# How often


def test_a_key_may_come_so_often(make_server):
    access = AccessSettings(keys=KEYS, requests_per_minute=60, burst=5)
    with make_server(access=access) as server:
        answers = [get(f"{server}/processes", key(ANN)) for _ in range(8)]
        assert [one.status_code for one in answers[:5]] == [200] * 5
        refused = answers[-1]
        assert refused.status_code == 429
        assert refused.json()["type"] == "urn:samgis:problem:too-many-requests"
        assert refused.headers["retry-after"] == "1"
        assert get(f"{server}/processes", key(BOB)).status_code == 200
        assert get(f"{server}/processes").status_code == 200  # the address has its own
        assert all(get(f"{server}/health").status_code == 200 for _ in range(20))
        time.sleep(1.05)
        assert get(f"{server}/processes", key(ANN)).status_code == 200


def test_guesses_are_paid_by_the_address(make_server):
    access = AccessSettings(keys=KEYS, requests_per_minute=1, burst=5)
    with make_server(access=access) as server:
        found = [get(f"{server}/jobs", key("guess")).status_code for _ in range(8)]
        assert found == [401] * 5 + [429] * 3
        assert get(f"{server}/jobs").status_code == 429
        assert get(f"{server}/processes", key(ANN)).status_code == 200


def test_addresses_are_told_apart_behind_a_proxy(make_server):
    access = AccessSettings(requests_per_minute=1, burst=2, proxies=["127.0.0.1"])
    with make_server(access=access) as server:

        def ask(address):
            return get(f"{server}/processes", {"X-Forwarded-For": address}).status_code

        assert [ask("192.0.2.7") for _ in range(3)] == [200, 200, 429]
        assert ask("192.0.2.8") == 200
        assert ask("192.0.2.9, 192.0.2.7") == 429  # what a client invents does not help it


def test_an_invented_address_helps_nobody(make_server):
    with make_server(access=AccessSettings(requests_per_minute=1, burst=2)) as server:
        made_up = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(3)]
        found = [get(f"{server}/processes", headers).status_code for headers in made_up]
        assert found == [200, 200, 429]


def test_executions_have_a_limit_of_their_own(make_server):
    access = AccessSettings(keys=KEYS, executions_per_minute=2, executions_burst=2)
    with make_server(access=access) as server:
        answers = [post(server, key(ANN)) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert 25 < int(answers[-1].headers["retry-after"]) <= 30
        assert get(f"{server}/processes", key(ANN)).status_code == 200
        assert post(server, key(BOB)).status_code == 200


def test_by_default_nobody_is_asked_nor_limited(make_server):
    with make_server() as server:
        assert all(post(server, {}).status_code == 200 for _ in range(70))
        assert post(server, key("whatever")).status_code == 200
