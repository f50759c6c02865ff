"""The list of jobs and its filters, and dismissal."""

from datetime import datetime, timedelta

import pytest
from ogc_schemas import EX, JOB_LIST, STATUS_INFO, check
from ogc_suite import ASYNC, GENERIC, links, problem, rule

INVALID = f"{EX}invalid-query-parameter-value"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def jobs(suite):
    """Ids by name, of jobs that have ended."""
    return {name: info["jobID"] for name, info in suite.done.items()}


def listed(suite, **query):
    answer = suite.get("/jobs", params={"limit": 1000, **query})
    assert answer.status_code == 200, answer.text
    return check(answer.json(), JOB_LIST)


def found(suite, **query):
    return {info["jobID"] for info in listed(suite, **query)["jobs"]}


def lasted(info):
    began, ended = (datetime.fromisoformat(info[name]) for name in ("started", "finished"))
    return (ended - began).total_seconds()


@rule("job-list/job-list-op", "job-list/job-list-success")
def test_job_list_job_list_op_all_jobs_are_there_newest_first(suite, jobs):
    content = listed(suite)["jobs"]
    assert set(jobs.values()) <= {info["jobID"] for info in content}
    times = [info["created"] for info in content]
    assert times == sorted(times, reverse=True)


@rule("job-list/job-list-success")
def test_job_list_job_list_success_an_unfinished_job_fits_the_schema(suite):
    made = suite.execute({"inputs": {**GENERIC, "pause": 5}}, **ASYNC)
    open_ = listed(suite, status="accepted,running")["jobs"]
    assert made.json()["jobID"] in {info["jobID"] for info in open_}
    assert all("finished" not in info for info in open_)
    suite.delete(made.headers["location"])


@rule("job-list/type-definition", "job-list/type-response")
def test_job_list_type_definition_all_jobs_are_those_of_processes(suite, jobs):
    assert set(jobs.values()) <= found(suite, type="process")


@rule("job-list/processID-definition", "job-list/processID-response")
def test_job_list_processid_definition_jobs_of_any_of_the_processes(suite, jobs):
    assert set(jobs.values()) <= found(suite, processID="segment,echo")
    assert found(suite, processID="segment") == set()


@rule("job-list/processID-mandatory")
def test_job_list_processid_mandatory_every_job_names_its_process(suite, jobs):
    assert jobs
    assert {info["processID"] for info in listed(suite)["jobs"]} == {"echo"}


@rule("job-list/status-definition", "job-list/status-response")
def test_job_list_status_definition_jobs_in_any_of_the_states(suite, jobs):
    failed = found(suite, status="failed")
    assert jobs["failed"] in failed
    assert not failed & {jobs["plain"], jobs["document"]}
    assert set(jobs.values()) <= found(suite, status="failed,successful")


@rule("job-list/datetime-definition", "job-list/datetime-response")
def test_job_list_datetime_definition_jobs_made_at_a_time_or_between_two(suite, jobs):
    created = suite.done["raw one"]["created"]
    at = datetime.fromisoformat(created)
    before, after = ((at + timedelta(seconds=s)).isoformat() for s in (-0.01, 0.01))
    mine = jobs["raw one"]
    for text in (f"{before}/{after}", f"{before}/..", f"../{after}", f"{before}/", f"/{after}"):
        assert mine in found(suite, datetime=text), text
    assert mine in found(suite, datetime=at.date().isoformat())
    for text in (f"{after}/..", f"../{before}", "2001-01-01T00:00:00Z"):
        assert mine not in found(suite, datetime=text), text


@rule(
    "job-list/minDuration-definition",
    "job-list/maxDuration-definition",
    "job-list/duration-response",
)
def test_job_list_minduration_definition_jobs_that_took_so_long(suite, jobs):
    for name in ("plain", "document"):
        seconds = lasted(suite.done[name])
        assert seconds >= 1.5
        assert jobs[name] in found(suite, minDuration=1)
        assert jobs[name] in found(suite, maxDuration=int(seconds) + 1)
        assert jobs[name] not in found(suite, minDuration=int(seconds) + 1)
        assert jobs[name] not in found(suite, maxDuration=1)


@rule("job-list/limit-definition", "job-list/limit-response")
@pytest.mark.parametrize("limit", [1, 3])
def test_job_list_limit_definition_no_more_jobs_than_asked_for(suite, jobs, limit):
    assert len(jobs) > limit
    assert len(listed(suite, limit=limit)["jobs"]) == limit


@rule("job-list/limit-response", "job-list/datetime-response", "job-list/duration-response")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "10001"),
        ("limit", "some"),
        ("type", "wms"),
        ("status", "done"),
        ("datetime", "yesterday"),
        ("datetime", "../.."),
        ("minDuration", "-1"),
        ("maxDuration", "long"),
    ],
)
def test_job_list_limit_response_what_makes_no_sense_is_refused(suite, name, value):
    problem(suite.get("/jobs", params={name: value}), 400, INVALID)


@rule("job-list/links")
def test_job_list_links_lead_through_all_pages(suite, jobs):
    content, seen = listed(suite, limit=2, status="successful,failed"), []
    assert {"self", "alternate", "next"} <= links(content).keys()
    while True:
        seen += [info["jobID"] for info in content["jobs"]]
        if "next" not in links(content):
            break
        content = check(suite.get(links(content)["next"]).json(), JOB_LIST)
    assert len(seen) == len(set(seen))
    assert set(jobs.values()) <= set(seen)


# dismiss


@rule("dismiss/job-dismiss-op", "dismiss/job-dismiss-success")
def test_dismiss_job_dismiss_op_a_job_under_way_is_stopped_and_still_shown(suite):
    body = {"inputs": {**GENERIC, "pause": 10}}
    location = suite.execute(body, **ASYNC).headers["location"]
    answer = suite.delete(location)
    assert answer.status_code == 200
    assert check(answer.json(), STATUS_INFO)["status"] == "dismissed"
    assert check(suite.get(location).json(), STATUS_INFO)["status"] == "dismissed"
    assert suite.get(f"{location}/results").status_code in {404, 410}
    assert answer.json()["jobID"] in found(suite, status="dismissed")


@rule("dismiss/job-dismiss-success")
def test_dismiss_job_dismiss_success_a_job_that_has_ended_is_removed(suite):
    body = {"inputs": {**GENERIC, "pause": 0}}
    location = suite.execute(body, **ASYNC).headers["location"]
    suite.ended(location)
    answer = suite.delete(location)
    assert answer.status_code == 200
    assert check(answer.json(), STATUS_INFO)["status"] == "dismissed"
    assert suite.get(f"{location}/results").status_code in {404, 410}


@rule("dismiss/job-dismiss-op")
def test_dismiss_job_dismiss_op_an_unknown_job_is_a_404(suite):
    problem(suite.delete(f"{suite.url}/jobs/{UNKNOWN}"), 404, f"{EX}no-such-job")
