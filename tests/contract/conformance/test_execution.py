"""Execution, and the jobs that come of it."""

import email
import json
import re
import time

import pytest
import requests
from ogc_schemas import EX, REL, RESULTS, STATUS_INFO, check
from ogc_suite import (
    ASYNC,
    BBOX,
    GENERIC,
    GML,
    POINT,
    THING,
    TIFF,
    TWO,
    WRONG,
    links,
    problem,
    rule,
)

JSON = "application/json"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def document(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == JSON
    return check(answer.json(), RESULTS)


def output(suite, name, output_id):
    return document(suite.answers[name])[output_id]


def parts(answer):
    """Return the parts of a multipart/related answer by Content-ID: media type and content."""
    assert answer.status_code == 200
    media_type = answer.headers["content-type"]
    assert media_type.startswith("multipart/related")
    head = f"Content-Type: {media_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + answer.content)
    assert message.is_multipart()
    assert not message.defects
    return {
        part["Content-ID"].strip("<>"): (part.get_content_type(), part.get_payload(decode=True))
        for part in message.get_payload()
    }


def referred(suite, answer):
    """Return what lies where an answer without content links to, by output."""
    assert (answer.status_code, answer.content) == (204, b"")
    found = requests.utils.parse_header_links(answer.headers["link"])
    return {each["title"]: suite.get(each["url"]).json() for each in found if "title" in each}


def mixed(suite, answer):
    """Assert that of two outputs one is in its part, and of the other only where it lies."""
    found = parts(answer)
    assert found["stringInput"] == (JSON, b'"teststring"')
    assert found["arrayInput"][1] == b""
    (place,) = re.findall(r"Content-Location: (\S+)", answer.text)
    assert suite.get(place).json() == [1, 2, 3]


@rule("core/process-execute-op", "core/process-execute-request")
def test_core_process_execute_op_an_execute_request_is_accepted(suite):
    assert all(answer.status_code in {200, 204} for answer in suite.answers.values())
    assert all(answer.status_code == 201 for answer in suite.made.values())


@rule("core/process-execute-inputs (by reference)")
def test_core_process_execute_inputs_by_reference_are_fetched_and_checked(suite, origin):
    by_reference = {"href": origin.put("/text", "from afar"), "type": JSON}
    one = {"response": "raw", "outputs": {"stringInput": {}}}
    answer = suite.execute({"inputs": {"stringInput": by_reference}, **one})
    assert answer.json() == "from afar"
    wrong = {"href": origin.put("/number", 3), "type": JSON}
    problem(suite.execute({"inputs": {"stringInput": wrong}}), 400)


@rule("core/process-execute-inputs")
def test_core_process_execute_inputs_inline_values_arrive(suite):
    assert suite.answers["plain"].json() == {"stringInput": "teststring"}
    assert output(suite, "array", "stringInput") == "teststring"


@rule("core/process-execute-input-array")
def test_core_process_execute_input_array_one_value_or_several(suite):
    assert output(suite, "array", "arrayInput") == [1, 2, 3]
    assert output(suite, "one as array", "geometryInput")["value"] == POINT
    assert output(suite, "one bare", "geometryInput")["value"] == POINT


@rule("core/process-execute-input-inline-object")
def test_core_process_execute_input_inline_object_is_a_qualified_value(suite):
    assert output(suite, "object", "complexObjectInput")["value"] == THING


@rule("core/process-execute-input-mixed-type")
def test_core_process_execute_input_mixed_type_the_media_type_chooses(suite):
    assert output(suite, "mixed, text", "geometryInput") == GML
    found = output(suite, "mixed, object", "geometryInput")
    assert found == {"value": POINT, "mediaType": "application/geo+json"}
    assert output(suite, "older nesting", "imagesInput")["value"] == TIFF


@rule("core/process-execute-input-inline-binary")
def test_core_process_execute_input_inline_binary_is_base64(suite):
    answer = suite.answers["binary"]
    assert answer.headers["content-type"] == "image/tiff"
    assert answer.content[:4] == b"II*\0"


@rule("core/process-execute-input-inline-bbox")
def test_core_process_execute_input_inline_bbox_has_a_default_crs(suite):
    assert output(suite, "bbox", "boundingBoxInput")["value"] == BBOX
    assert output(suite, "bbox of four", "boundingBoxInput")["value"] == {"bbox": BBOX["bbox"]}


@rule("core/process-execute-input-validation")
@pytest.mark.parametrize("name", [name for name in WRONG if name != "unknown output"])
def test_core_process_execute_input_validation_what_does_not_fit_is_refused(suite, name):
    problem(suite.refusals[name], 400)


@rule("core/process-execute-input-validation")
def test_core_process_execute_input_validation_an_unknown_output_is_refused(suite):
    problem(suite.refusals["unknown output"], 400, f"{EX}no-such-output")


@rule("core/process-execute-default-outputs")
def test_core_process_execute_default_outputs_are_all(suite):
    assert document(suite.answers["array"]).keys() == {"stringInput", "arrayInput"}
    # All are requested where none is named: a document, however few there are.
    assert document(suite.answers["plain"]) == {"stringInput": "teststring"}


@rule("core/process-execute-default-execution-mode")
def test_core_process_execute_default_execution_mode_is_sync(suite):
    assert suite.answers["auto"].status_code == 200
    assert "preference-applied" not in suite.answers["auto"].headers


@rule("core/process-execute-auto-execution-mode")
def test_core_process_execute_auto_execution_mode_a_wish_for_async_is_granted(suite):
    made = suite.made["plain"]
    assert made.status_code == 201
    assert made.headers["preference-applied"] == "respond-async"


@rule("core/process-execute-success-async")
def test_core_process_execute_success_async_the_job_is_there_at_once(suite):
    answer = suite.execute({"inputs": GENERIC}, **ASYNC)
    assert (answer.status_code, answer.headers["content-type"]) == (201, JSON)
    made = check(answer.json(), STATUS_INFO)
    assert answer.headers["location"] == f"{suite.url}/jobs/{made['jobID']}"
    assert {"self", "monitor"} <= links(made).keys()
    now = suite.get(answer.headers["location"])
    assert check(now.json(), STATUS_INFO)["status"] in {"accepted", "running"}
    assert f"{REL}results" not in links(now.json())
    assert suite.ended(answer.headers["location"])["status"] == "successful"


@rule("core/process-execute-sync-raw-value-one")
def test_core_process_execute_sync_raw_value_one_is_the_bare_value(suite):
    answer = suite.answers["raw one"]
    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    assert answer.json() == "teststring"


@rule("core/process-execute-sync-raw-value-multi")
def test_core_process_execute_sync_raw_value_multi_is_one_part_for_each_output(suite):
    found = parts(suite.answers["raw two"])
    assert found == {
        "stringInput": (JSON, b'"teststring"'),
        "arrayInput": (JSON, b"[1,2,3]"),
    }
    # What counts is how many were requested.
    body = {"inputs": {**GENERIC, "pause": 0}, "response": "raw", "outputs": TWO}
    assert parts(suite.execute(body)).keys() == {"stringInput"}
    undecided = suite.execute({key: body[key] for key in ("inputs", "outputs")})
    assert undecided.json() == {"stringInput": "teststring"}


@rule("core/process-execute-sync-raw-ref")
def test_core_process_execute_sync_raw_ref_is_a_link_for_each_output(suite):
    assert referred(suite, suite.answers["raw references"]) == {
        "stringInput": "teststring",
        "arrayInput": [1, 2, 3],
    }


@rule("core/process-execute-sync-raw-mixed-multi")
def test_core_process_execute_sync_raw_mixed_multi_is_a_part_for_each_output(suite):
    mixed(suite, suite.answers["raw mixed"])


@rule("core/process-execute-sync-document")
def test_core_process_execute_sync_document_holds_outputs_by_their_ids(suite):
    assert document(suite.answers["document"]) == {
        "stringInput": "teststring",
        "arrayInput": [1, 2, 3],
    }
    for name in ("object", "bbox", "one bare", "mixed, text"):
        document(suite.answers[name])


# Jobs


@rule("core/job-op", "core/job-success")
def test_core_job_op_a_job_can_be_watched(suite):
    for name, made in suite.made.items():
        answer = suite.get(made.headers["location"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
        check(answer.json(), STATUS_INFO)
        assert suite.done[name]["status"] == ("failed" if name == "failed" else "successful")


@rule("core/job-success")
def test_core_job_success_times_and_links_are_true(suite):
    for info in suite.done.values():
        assert info["created"] <= info["started"] < info["finished"] <= info["updated"]
        wanted = "exceptions" if info["status"] == "failed" else "results"
        assert f"{REL}{wanted}" in links(info)


@rule("core/job-exception-no-such-job", "core/job-results-exception-no-such-job")
@pytest.mark.parametrize("job", [UNKNOWN, "nope", "..%5c..%5cetc", "a b"])
def test_core_job_exception_no_such_job_is_a_404(suite, job):
    problem(suite.get(f"/jobs/{job}"), 404, f"{EX}no-such-job")
    problem(suite.get(f"/jobs/{job}/results"), 404, f"{EX}no-such-job")


@rule("core/job-results-exception-results-not-ready")
def test_core_job_results_exception_results_not_ready_is_a_404(suite):
    body = {"inputs": {**GENERIC, "pause": 5}}
    location = suite.execute(body, **ASYNC).headers["location"]
    problem(suite.get(f"{location}/results"), 404, f"{EX}result-not-ready")
    suite.delete(location)


@rule("core/job-results-failed")
def test_core_job_results_failed_tell_what_went_wrong(suite):
    assert suite.done["failed"]["status"] == "failed"
    found = problem(suite.results["failed"], 400)
    assert "base64" in json.dumps(found)


@rule("core/job-results-success-sync")
def test_core_job_results_success_sync_no_job_is_made_of_a_call_that_is_waited_for(suite):
    for answer in suite.answers.values():
        assert "Location" not in answer.headers
        assert "monitor" not in answer.headers.get("Link", "")


@rule("core/job-results-success-sync")
def test_core_job_results_success_sync_a_job_that_is_waited_for_is_linked(suite):
    answer = suite.execute({"inputs": {**GENERIC, "pause": 0}}, Prefer="wait=10")
    assert answer.json() == {"stringInput": "teststring"}
    address, _, relation = answer.headers["link"].partition("; ")
    assert relation == "rel=monitor"
    assert suite.get(address.strip("<>")).json()["status"] == "successful"


@rule("core/job-results", "core/job-results-async-document")
def test_core_job_results_have_the_shape_of_the_request(suite):
    wanted = {"stringInput": "teststring", "arrayInput": [1, 2, 3]}
    assert document(suite.results["document"]) == wanted
    assert suite.results["plain"].json() == {"stringInput": "teststring"}
    assert links(suite.done["plain"])[f"{REL}results"] == f"{suite.address('plain')}/results"


@rule("core/job-results-async-raw-value-one")
def test_core_job_results_async_raw_value_one_is_the_bare_value(suite):
    answer = suite.results["raw one"]
    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    assert answer.json() == "teststring"


@rule("core/job-results-async-raw-value-multi")
def test_core_job_results_async_raw_value_multi_is_one_part_for_each_output(suite):
    assert parts(suite.results["raw two"]).keys() == {"stringInput", "arrayInput"}


@rule("core/job-results-async-raw-ref")
def test_core_job_results_async_raw_ref_is_a_link_for_each_output(suite):
    assert referred(suite, suite.results["raw references"]).keys() == {"stringInput", "arrayInput"}


@rule("core/job-results-async-raw-mixed-multi")
def test_core_job_results_async_raw_mixed_multi_is_a_part_for_each_output(suite):
    mixed(suite, suite.results["raw mixed"])


@rule("callback/job-callback")
def test_callback_job_callback_tells_of_progress_and_results(suite, origin):
    subscriber = {
        "successUri": origin.url + "/success",
        "inProgressUri": origin.url + "/progress",
        "failedUri": origin.url + "/failed",
    }
    inputs = {"stringInput": "called"}
    made = suite.execute({"inputs": inputs, "subscriber": subscriber}, **ASYNC)
    assert made.status_code == 201
    until, came = time.monotonic() + 30, {}
    while "/success" not in came:
        path, _, body, _ = origin.taken.get(timeout=max(0.01, until - time.monotonic()))
        came[path] = body
    assert check(came["/progress"], STATUS_INFO)["jobID"] == made.json()["jobID"]
    assert came["/success"] == {"stringInput": "called"}
