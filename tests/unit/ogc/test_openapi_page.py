"""OpenAPI documents in the order of a page."""

from samgis_process.ogc.conformance_names import by_standard
from samgis_process.ogc.openapi_page import anchor, groups, schemas

DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "T", "version": "1"},
    "tags": [{"name": "b", "description": "Second letter."}, {"name": "unused"}],
    "security": [{"apiKey": []}],
    "paths": {
        "/x/{id}": {
            "parameters": [{"$ref": "#/components/parameters/id"}],
            "post": {
                "summary": "Make it",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/a~1b"},
                            "example": {"a": 1},
                        }
                    }
                },
                "responses": {
                    201: {"$ref": "#/components/responses/Made"},
                    "400": {"description": "No.", "content": {"text/html": {"schema": {}}}},
                },
            },
            "get": {"tags": ["b"], "security": [{}, {"apiKey": []}], "responses": {}},
        }
    },
    "components": {
        "schemas": {"a/b": {"type": "object"}},
        "parameters": {"id": {"name": "id", "in": "path", "schema": {"type": "integer"}}},
        "responses": {
            "Made": {
                "description": "Made.",
                "headers": {"Location": {}},
                "content": {
                    "application/json": {
                        "schema": {"anyOf": [{"$ref": "#/components/schemas/a~1b"}] * 2}
                    }
                },
            }
        },
    },
}


def test_operations_stand_under_their_tags_in_the_order_of_the_tags():
    first, second = groups(DOCUMENT)
    assert (first["name"], first["description"]) == ("b", "Second letter.")
    assert [one["method"] for one in first["operations"]] == ["GET"]
    assert (second["name"], [one["path"] for one in second["operations"]]) == (
        "others",
        ["/x/{id}"],
    )


def test_references_are_followed():
    (made,) = groups(DOCUMENT)[1]["operations"]
    assert made["parameters"][0]["words"] == "an integer"
    assert made["body"][0]["refers"] == ["a/b"]
    assert made["body"][0]["example"] == {"a": 1}
    answer, refusal = made["responses"]
    assert (answer["status"], answer["description"], answer["headers"]) == (
        "201", "Made.", ["Location"],
    )  # fmt: skip
    assert answer["contents"][0]["refers"] == ["a/b", "a/b"]
    assert refusal["contents"][0]["words"] == "any value"


def test_what_asks_for_a_key_is_marked():
    read, made = (group["operations"][0] for group in groups(DOCUMENT))
    assert (read["needs_key"], made["needs_key"]) == (False, True)


def test_every_schema_can_be_linked_to():
    assert schemas(DOCUMENT) == [("a/b", "schema-a-b", {"type": "object"})]
    assert anchor("post-/x/{id}") == "post-x-id"


def test_conformance_classes_have_names_and_stand_under_their_standards():
    base = "http://www.opengis.net/spec/ogcapi"
    found = by_standard(
        [f"{base}-common-1/1.0/conf/core", f"{base}-processes-1/1.0/conf/job-list", "urn:x"]
    )
    assert [name for name, _ in found] == [
        "OGC API - Processes, part 1", "OGC API - Common, part 1", "Others",
    ]  # fmt: skip
    assert [(one.name, one.words) for _, classes in found for one in classes] == [
        ("Job list", "Jobs are listed, and filtered."), ("Core", ""), ("Urn:x", ""),
    ]  # fmt: skip
