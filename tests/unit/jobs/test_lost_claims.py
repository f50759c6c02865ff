"""A lease that passed: whoever was done in the meantime keeps the result."""

import pytest

from samgis_process.jobs import JobStore
from samgis_process.jobs.attempt import Surroundings, interrupted
from samgis_process.jobs.job import Status
from samgis_process.jobs.outputs import OutputFile, OutputStore

FILES = {"features": OutputFile("application/json", "json", b"7")}


@pytest.fixture
def around(tmp_path):
    store = JobStore(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    yield Surroundings(store, OutputStore(tmp_path / "jobs"), lambda *_: {"status": 503}, 60, 10)
    store.close()


def claimed(around, tries=1):
    job = around.store.add("alpha", "", {"inputs": {}}, {}, 10)
    for _ in range(tries - 1):
        around.store.release(around.store.claim("a", 10), "again", counts=True)
    claim = around.store.claim("a", 10)
    around.outputs.write(claim.results, FILES)
    return job.id, claim


@pytest.mark.parametrize("tries", [1, 2])
def test_a_result_is_kept_though_its_lease_had_passed(around, tries):
    job_id, claim = claimed(around, tries)
    assert around.store.succeed(claim, claim.results)
    assert not interrupted(claim, around, "The server that worked on it ended")
    assert around.store.get(job_id, "").status == Status.SUCCESSFUL
    assert around.outputs.find(claim.results)["features"].content == b"7"


@pytest.mark.parametrize(("tries", "status"), [(1, Status.ACCEPTED), (2, Status.FAILED)])
def test_what_a_lost_try_wrote_goes_with_it(around, tries, status):
    job_id, claim = claimed(around, tries)
    assert interrupted(claim, around, "The server that worked on it ended")
    assert around.store.get(job_id, "").status == status
    assert around.outputs.names() == []
