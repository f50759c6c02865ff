"""Landing page, definition, conformance, and the lists and descriptions of processes."""

import http.client
from urllib.parse import urlsplit

import pytest
from ogc_schemas import (
    CONF,
    CONF_CLASSES,
    EX,
    LANDING_PAGE,
    PROCESS,
    PROCESS_LIST,
    REL,
    check,
)
from ogc_suite import GENERIC, links, problem, rule

JSON = "application/json"
CLASSES = (
    "core", "ogc-process-description", "json", "html", "oas30", "job-list", "dismiss",
)  # fmt: skip


def read(suite, path, schema):
    answer = suite.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(JSON)
    return check(answer.json(), schema)


@rule("core/http")
def test_core_http_the_server_speaks_http_1_1(suite):
    connection = http.client.HTTPConnection(urlsplit(suite.url).netloc, timeout=10)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (answer.version, answer.status) == (11, 200)
    connection.close()


@rule("core/landingpage-op", "core/landingpage-success")
def test_core_landingpage_op_links_lead_to_definition_conformance_and_processes(suite):
    found = links(read(suite, "/", LANDING_PAGE))
    assert found.keys() & {"service-desc", "service-doc"}
    assert found.keys() & {"conformance", f"{REL}conformance"}
    assert found.keys() & {"processes", f"{REL}processes"}
    for href in found.values():
        assert suite.get(href).status_code == 200, href


@rule("core/api-definition-op", "core/api-definition-success")
def test_core_api_definition_op_each_link_to_a_definition_gives_one(suite):
    listed = read(suite, "/", LANDING_PAGE)["links"]
    hrefs = {link["href"]: link for link in listed if link["rel"].startswith("service-d")}
    assert len(hrefs) == 2
    for href, link in hrefs.items():
        answer = suite.get(href)
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == link["type"].partition(";")[0]
    assert suite.get("/openapi").json()["openapi"].startswith("3.0")


@rule("core/conformance-op", "core/conformance-success")
def test_core_conformance_op_the_classes_that_hold_are_declared(suite):
    declared = read(suite, "/conformance", CONF_CLASSES)["conformsTo"]
    assert {CONF + name for name in CLASSES} <= set(declared)
    assert suite.get(links(read(suite, "/", LANDING_PAGE))["conformance"]).ok


@rule("core/process-list", "core/process-list-success")
def test_core_process_list_every_process_is_there_with_id_and_version(suite):
    found = read(suite, "/processes", PROCESS_LIST)["processes"]
    assert {"echo", "segment", "dem-composite"} <= {one["id"] for one in found}
    for summary in found:
        assert read(suite, links(summary)["self"], PROCESS)["version"] == summary["version"]


@rule("core/pl-limit-definition", "core/pl-limit-response")
@pytest.mark.parametrize("limit", [1, 2, 10_000])
def test_core_pl_limit_definition_no_more_processes_than_asked_for(suite, limit):
    found = read(suite, f"/processes?limit={limit}", PROCESS_LIST)["processes"]
    assert len(found) == min(limit, 3)


@rule("core/pl-limit-definition", "core/pl-limit-response")
@pytest.mark.parametrize("limit", ["0", "-1", "10001", "many", ""])
def test_core_pl_limit_definition_another_limit_is_refused(suite, limit):
    problem(suite.get(f"/processes?limit={limit}"), 400, f"{EX}invalid-query-parameter-value")


@rule("core/pl-links")
def test_core_pl_links_lead_to_the_list_itself_its_page_and_the_next_part(suite):
    first = read(suite, "/processes?limit=2", PROCESS_LIST)
    assert {"self", "alternate", "next"} <= links(first).keys()
    assert read(suite, links(first)["self"], PROCESS_LIST) == first
    assert "<html" in suite.get(links(first)["alternate"]).text
    rest = read(suite, links(first)["next"], PROCESS_LIST)
    ids = [one["id"] for one in (*first["processes"], *rest["processes"])]
    assert sorted(ids) == ["dem-composite", "echo", "segment"]
    assert "next" not in links(rest)


@rule("core/process-description", "core/process-description-success")
@pytest.mark.parametrize("process", ["echo", "segment", "dem-composite"])
def test_core_process_description_each_process_is_described(suite, process):
    found = read(suite, f"/processes/{process}", PROCESS)
    assert found["id"] == process
    assert {"self", "alternate", f"{REL}execute"} <= links(found).keys()


@rule("core/process-exception-no-such-process")
@pytest.mark.parametrize("accept", [None, JSON])
def test_core_process_exception_no_such_process_is_a_404_everywhere(suite, accept):
    problem(suite.get("/processes/nope", accept=accept), 404, f"{EX}no-such-process")
    problem(suite.execute({"inputs": GENERIC}, "nope"), 404, f"{EX}no-such-process")


@rule("core/test-process")
def test_core_test_process_a_process_is_there_to_be_tested(suite):
    found = read(suite, "/processes/echo", PROCESS)
    assert {"sync-execute", "async-execute"} <= set(found["jobControlOptions"])
    first, *_ = found["inputs"]
    assert found["inputs"][first]["schema"] == {"type": "string"}
    assert first in found["outputs"]
    assert found["inputs"]["pause"]["schema"]["type"] == "integer"


# ogc-process-description


@rule("ogc-process-description/json-encoding")
@pytest.mark.parametrize("process", ["echo", "segment", "dem-composite"])
def test_ogc_process_description_json_encoding_fits_the_schema(suite, process):
    read(suite, f"/processes/{process}", PROCESS)


@rule(
    "ogc-process-description/inputs-def",
    "ogc-process-description/input-def",
    "ogc-process-description/outputs-def",
    "ogc-process-description/output-def",
)
@pytest.mark.parametrize("process", ["echo", "segment", "dem-composite"])
def test_ogc_process_description_inputs_def_all_have_schemas(suite, process):
    found = read(suite, f"/processes/{process}", PROCESS)
    assert found["inputs"]
    assert found["outputs"]
    assert all("schema" in one for one in (*found["inputs"].values(), *found["outputs"].values()))


@rule(
    "ogc-process-description/input-mixed-type",
    "ogc-process-description/output-mixed-type",
    "ogc-process-description/binary",
)
def test_ogc_process_description_input_mixed_type_lists_alternatives_and_binaries(suite):
    found = read(suite, "/processes/echo", PROCESS)
    for member in ("inputs", "outputs"):
        pictures = found[member]["imagesInput"]["schema"]["oneOf"]
        assert [one["contentMediaType"] for one in pictures] == ["image/tiff", "image/jp2"]
        assert all(one["type"] == "string" and one["contentEncoding"] for one in pictures)
        assert len(found[member]["geometryInput"]["schema"]["oneOf"]) == 2
