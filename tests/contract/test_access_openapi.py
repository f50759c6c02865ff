"""The OpenAPI document says what access asks for, and nothing where it asks nothing."""

import pytest
import requests
from pygeoapi.openapi import validate_openapi_document

from samgis_process.server.keys import hashed, new_key
from samgis_process.settings import AccessSettings

ANN = new_key()
KEYS = [{"name": "ann", "sha256": hashed(ANN)}]
METHODS = ("get", "post", "delete")


def document(server):
    found = requests.get(f"{server}/openapi?f=json", timeout=10).json()
    assert validate_openapi_document(found)
    return found


def operations(found):
    return {
        (method, path): operation
        for path, item in found["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def documented(operation, status):
    return str(status) in operation["responses"]


def send(server, method, path, **headers):
    for name in ("processID", "jobID", "outputID", "result_id", "name"):
        path = path.replace(f"{{{name}}}", "9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad")
    return requests.request(method, server + path, headers=headers, timeout=10)


def test_by_default_nobody_is_asked(make_job_server, tmp_path):
    with make_job_server(tmp_path) as server:
        found = document(server)
    assert "securitySchemes" not in found["components"]
    for operation in operations(found).values():
        assert "security" not in operation
        assert not {"401", "429"} & operation["responses"].keys()
    assert not {"NotSignedIn", "TooManyRequests"} & found["components"]["responses"].keys()


@pytest.mark.parametrize("everything", [False, True])
def test_every_operation_says_whether_it_wants_a_key(make_job_server, tmp_path, everything):
    access = AccessSettings(keys=KEYS, everything=everything)
    with make_job_server(tmp_path, access=access) as server:
        headers = {"X-API-Key": ANN}
        found = requests.get(f"{server}/openapi?f=json", headers=headers, timeout=10).json()
        assert validate_openapi_document(found)
        schemes = found["components"]["securitySchemes"]
        assert schemes["apiKey"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
        assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
        closed = []
        for (method, path), operation in operations(found).items():
            answer = send(server, method, path)
            assert documented(operation, answer.status_code), (method, path)
            wrong = send(server, method, path, **{"X-API-Key": "wrong"})
            assert documented(operation, wrong.status_code), (method, path)
            assert (wrong.status_code == 401) == (path != "/health")
            wants = operation.get("security", [{}])
            assert (answer.status_code == 401) == ({} not in wants), (method, path)
            closed += [path] * ({} not in wants)
        assert {"/jobs", "/jobs/{jobID}", "/results/{result_id}/{name}"} <= set(closed)
        assert ("/processes" in closed) == everything


def test_limits_are_in_the_document(make_job_server, tmp_path):
    access = AccessSettings(executions_per_minute=1)
    with make_job_server(tmp_path, access=access) as server:
        found = operations(document(server))
        limited = {path for (_, path), one in found.items() if documented(one, 429)}
        assert limited == {path for _, path in found if path.endswith("/execution")}
    with make_job_server(tmp_path, access=AccessSettings(requests_per_minute=60)) as server:
        found = operations(document(server))
        assert {path for (_, path), one in found.items() if not documented(one, 429)} == {
            "/health"
        }


def test_users_of_a_proxy_are_in_the_document(make_server):
    access = AccessSettings(user_header="X-Remote-User", proxies=["127.0.0.1"])
    with make_server(access=access) as server:
        found = document(server)
        (scheme,) = found["components"]["securitySchemes"].values()
        assert (scheme["in"], scheme["name"]) == ("header", "X-Remote-User")
        assert documented(operations(found)["post", "/processes/alpha/execution"], 403)
        page = requests.get(f"{server}/openapi?f=html", timeout=10)
        assert page.status_code == 200
