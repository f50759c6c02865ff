import re

from samgis_process.server.metrics import Family, Metrics, Sample, labels, text

ROUTES = {
    "/jobs/{job_id}": re.compile("^/jobs/(?P<job_id>[^/]+)$"),
    "/processes/{process_id}/execution": re.compile("^/processes/[^/]+/execution$"),
}


def lines(*calls):
    metrics = Metrics(ROUTES, ["segment"])
    for call in calls:
        metrics.count(*call)
    return text(metrics.families()).splitlines()


def test_paths_are_counted_by_route_never_by_what_clients_choose():
    found = lines(
        ("GET", "/jobs/a", 200, 0.1), ("GET", "/jobs/b", 200, 0.1), ("BREW", "/x/y", 404, 0.1)
    )
    begin = "samgis_http_requests_total"
    assert f'{begin}{{method="GET",route="/jobs/{{job_id}}",status="200"}} 2' in found
    assert f'{begin}{{method="other",route="other",status="404"}} 1' in found


def test_times_add_up_from_bucket_to_bucket():
    calls = [("GET", "/jobs/a", 200, seconds) for seconds in (0.004, 0.005, 0.3, 100)]
    found = [line for line in lines(*calls) if "duration_seconds" in line and line[0] != "#"]
    counts = {re.search('le="([^"]*)"', line)[1]: line.split()[1] for line in found[:-2]}
    assert list(counts.values()) == ["2"] * 4 + ["2"] + ["3"] * 7 + ["4"]
    assert (counts["0.005"], counts["0.5"], counts["60"], counts["+Inf"]) == ("2", "3", "3", "4")
    assert found[-2].endswith(" 100.309")
    assert found[-1] == 'samgis_http_request_duration_seconds_count{route="/jobs/{job_id}"} 4'


def test_executions_are_counted_by_process_and_outcome():
    run = "/processes/segment/execution"
    calls = [("POST", run, status, 1) for status in (200, 204, 201, 400, 429, 503, None)]
    calls += [("GET", run, 405, 1), ("POST", "/processes/made-up/execution", 404, 1)]
    found = [line.partition("{")[2] for line in lines(*calls) if "executions_total{" in line]
    assert found == [
        'process="segment",outcome="answered"} 2',
        'process="segment",outcome="job"} 1',
        'process="segment",outcome="refused"} 2',
        'process="segment",outcome="failed"} 1',
        'process="segment",outcome="abandoned"} 1',
        'process="other",outcome="refused"} 1',
    ]


def test_values_are_escaped_and_exact():
    family = Family("x", "gauge", "Help.", [Sample(labels(a='"\\\n'), 12345678), Sample((), 0.1)])
    assert text([family], "") == (
        '# HELP x Help.\n# TYPE x gauge\nx{a="\\"\\\\\\n"} 12345678\nx 0.1\n'
    )
