"""JSON, pages, and the OpenAPI document."""

import html
import re

import pytest
from ogc_schemas import LANDING_PAGE, check
from ogc_suite import GENERIC, GML, links, problem, rule

JSON = "application/json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
STATIC = ("/", "/conformance", "/processes", "/processes/echo", "/jobs")
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def document(suite):
    return suite.get("/openapi").json()


@rule("json/definition")
@pytest.mark.parametrize("accept", [None, "*/*", JSON, "application/json;q=0.5, text/html;q=0.1"])
def test_json_definition_json_is_there_and_what_one_gets_by_default(suite, accept):
    for path in (*STATIC, suite.address("plain"), f"{suite.address('document')}/results"):
        suite.done  # noqa: B018  the results are there then
        answer = suite.get(path, accept=accept)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith(JSON), path
        assert isinstance(answer.json(), dict)


@rule("json/definition")
def test_json_definition_answers_to_executions_are_json(suite):
    assert suite.answers["document"].headers["content-type"] == JSON
    assert suite.made["plain"].headers["content-type"] == JSON


# html


def data(value):
    """Return all strings and numbers of a JSON value, but those of its links."""
    if isinstance(value, dict):
        return [each for key, item in value.items() if key != "links" for each in data(item)]
    if isinstance(value, list):
        return [each for item in value for each in data(item)]
    return [] if isinstance(value, bool) else [str(value)]


@rule("html/definition")
def test_html_definition_every_route_has_a_page(suite):
    suite.done  # noqa: B018
    for path in (*STATIC, "/openapi", suite.address("plain"), suite.address("failed")):
        suite.page(path)
    for name in ("plain", "document"):
        suite.page(f"{suite.address(name)}/results")
    suite.page(f"{suite.address('document')}/results/stringInput")


@rule("html/definition")
def test_html_definition_executions_answer_with_pages(suite):
    body = {"inputs": {**GENERIC, "pause": 0}}
    answer = suite.execute(body, Accept="text/html")
    assert answer.headers["content-type"].startswith("text/html")
    assert "teststring" in answer.text


@rule("html/definition")
def test_html_definition_what_is_text_but_no_json_is_shown_too(suite):
    body = {
        "inputs": {**GENERIC, "geometryInput": GML, "pause": 0},
        "outputs": {"geometryInput": {}},
    }
    answer = suite.execute(body, Accept="text/html")
    assert answer.headers["content-type"].startswith("text/html")
    assert GML in html.unescape(answer.text)


@rule("html/content")
@pytest.mark.parametrize("path", [*STATIC[1:], "job", "results"])
def test_html_content_pages_hold_all_data_and_all_links(suite, path):
    suite.done  # noqa: B018
    path = {"job": suite.address("plain"), "results": f"{suite.address('document')}/results"}.get(
        path, path
    )
    content, shown = suite.get(path).json(), html.unescape(suite.page(path))
    assert [each for each in data(content) if each not in shown] == []
    hrefs = set(re.findall(r'<a [^>]*href="?([^" >]+)', shown))
    own = links(content) if "links" in content else {}
    assert set(own.values()) - {own.get("self")} <= hrefs


# oas30


@rule("oas30/oas-definition-1", "oas30/oas-definition-2")
def test_oas30_oas_definition_1_is_there_as_json_and_as_a_page(suite):
    listed = check(suite.get("/").json(), LANDING_PAGE)["links"]
    (link,) = (link for link in listed if link["type"] == OPENAPI)
    answer = suite.get(link["href"], accept=OPENAPI)
    assert answer.headers["content-type"] == OPENAPI
    assert answer.json()["openapi"].startswith("3.0")
    suite.page("/openapi")


@rule("oas30/oas-definition-2")
def test_oas30_oas_definition_2_the_document_is_valid(document, unavailable):
    try:
        from openapi_spec_validator import OpenAPIV30SpecValidator
    except ImportError:
        unavailable("no package openapi-spec-validator")
    errors = OpenAPIV30SpecValidator(document).iter_errors()
    assert [f"{list(error.absolute_path)}: {error.message[:300]}" for error in errors] == []


@rule("oas30/oas-definition-2")
def test_oas30_oas_definition_2_the_document_refers_to_nothing_outside(suite):
    references = re.findall(r'"\$ref"\s*:\s*"([^"]+)"', suite.get("/openapi").text)
    assert references
    assert all(reference.startswith("#/components/") for reference in references)


@rule("oas30/oas-impl")
def test_oas30_oas_impl_every_operation_is_implemented(suite, document):
    values = {"processID": "echo", "jobID": UNKNOWN, "outputID": "x", "result_id": UNKNOWN}
    for template, item in document["paths"].items():
        path = re.sub(r"{(\w+)}", lambda found: values.get(found[1], "x"), template)
        allowed = suite.options(path).headers["allow"].split(", ")
        assert {method.upper() for method in item} <= set(allowed), path


def described(document, path, method, status):
    """Return the response object for an answer of this server, by its path."""
    paths = document["paths"]
    templates = [path] if path in paths else []
    templates += [t for t in paths if re.fullmatch(re.sub(r"{\w+}", "[^/]+", t), path)]
    response = paths[templates[0]][method]["responses"][str(status)]
    if "$ref" in response:
        return document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return response


@rule("oas30/completeness", "oas30/exceptions-codes")
def test_oas30_completeness_every_answer_is_described(suite, document):
    asked = [*suite.answers.values(), *suite.made.values(), *suite.refusals.values()]
    asked += [*suite.results.values(), *(suite.get(suite.address(name)) for name in suite.made)]
    asked += [suite.get(path) for path in (*STATIC, f"/jobs/{UNKNOWN}", "/processes/nope")]
    asked += [suite.get(f"{path}?limit=0") for path in ("/processes", "/jobs")]
    for answer in asked:
        path, method = answer.request.path_url.partition("?")[0], answer.request.method.lower()
        response = described(document, path, method, answer.status_code)
        if answer.status_code == 204:
            assert not answer.content
            continue
        media_type = answer.headers["content-type"].partition(";")[0]
        assert media_type in {name.partition(";")[0] for name in response["content"]} or (
            "*/*" in response["content"]
        ), (path, media_type)


@rule("oas30/exceptions-codes")
@pytest.mark.parametrize("path", ["/nope", "/jobs/x/y/z", "/processes/echo/nope"])
def test_oas30_exceptions_codes_an_unknown_route_is_an_exception_too(suite, path):
    problem(suite.get(path), 404)


@rule("oas30/security")
def test_oas30_security_what_is_demanded_is_described(suite, document):
    schemes = document["components"].get("securitySchemes", {})
    for demand in document.get("security", ()):
        assert demand.keys() <= schemes.keys()
    if not schemes:  # then nobody is turned away
        assert {answer.status_code for answer in suite.answers.values()} <= {200, 204}
