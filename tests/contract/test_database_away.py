"""A database of jobs that is away, frozen or locked: nothing is lost, run twice, or waits long."""

import contextlib
import gc
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import lab
import pytest
from lab_client import LabServer, ended, get, made, post, wait_for

from samgis_process.errors import StoreUnavailable
from samgis_process.jobs import JobStore
from samgis_process.ogc.jobs import JobQuery

# psycopg warns of connections that broke
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def quickly(address):
    """Ask, and return the answer and the least of three times: others use this machine too."""
    taken = []
    for _ in range(3):
        begun = time.monotonic()
        answer = get(address)
        taken.append(time.monotonic() - begun)
    assert min(taken) < 0.2
    return answer


@contextlib.contextmanager
def stopped(postgresql):
    postgresql.stop("fast")
    try:
        yield
    finally:
        postgresql.start()
        gc.collect()


@contextlib.contextmanager
def frozen(postgresql):
    postgresql.freeze()
    try:
        yield
    finally:
        postgresql.thaw()


@pytest.fixture
def two_servers(tmp_path, database):
    with contextlib.ExitStack() as running:

        def start(**limits):
            servers = []
            for name in ("one", "two"):
                server = LabServer(tmp_path, log=name, url=database, **limits)
                running.callback(server.end, signal.SIGKILL)
                servers.append(server)
            return servers

        yield start


def nothing_is_lost(servers, database, away, seconds, jobs):
    """Return the number of jobs that were run once and kept their result, of all."""
    pauses = [0.2 + 0.6 * (number % 4) for number in range(jobs)]
    locations = [
        made(servers[number % 2].url, count=number % 10, pause=pause)
        for number, pause in enumerate(pauses)
    ]
    wait_for(locations[0], "running", "successful")
    time.sleep(0.5)
    with away:
        time.sleep(seconds)
        told = quickly(f"{servers[0].url}/health").json()
        assert told["jobs"]["status"] == "unavailable"
    for number, location in enumerate(locations):
        info = wait_for(location, "successful", "failed", seconds=60 + 2 * jobs)
        assert info["status"] == "successful", info
        assert get(f"{location}/results").json()["lab"]["inputs"]["count"] == number % 10
    store = JobStore(database)
    attempts = [job.attempts for job in store.find(JobQuery("", 1000))]
    store.close()
    return attempts.count(1), len(attempts)


@pytest.mark.parametrize("trouble", [stopped, frozen])
def test_jobs_outlive_a_database_that_is_away(two_servers, postgresql, database, trouble):
    servers = two_servers(lease_s=2)
    once, of = nothing_is_lost(servers, database, trouble(postgresql), 6, 12)
    assert (once, of) == (12, 12)
    log = servers[0].log()
    assert log.count("the record of jobs cannot be used") <= 2
    assert "can be used again" in log


@pytest.mark.soak
@pytest.mark.parametrize("seconds", [20, 80])
@pytest.mark.parametrize("trouble", [stopped, frozen])
def test_many_jobs_outlive_a_database_that_is_long_away(
    two_servers, postgresql, database, trouble, seconds
):
    servers = two_servers(lease_s=15, workers=2)
    once, of = nothing_is_lost(servers, database, trouble(postgresql), seconds, 54)
    print(f"{once} of {of} ran once")
    assert (once, of) == (54, 54)


def test_a_frozen_database_refuses_everybody_soon(postgresql, database):
    store = JobStore(database)
    job = store.add("alpha", "", {}, {}, 10)
    with frozen(postgresql), ThreadPoolExecutor(60) as pool:

        def asked():
            begun = time.monotonic()
            with pytest.raises(StoreUnavailable):
                store.get(job.id, "")
            return time.monotonic() - begun

        longest = max(pool.map(lambda _: asked(), range(60)))
        print(f"the longest of sixty waited {longest:.1f} s")
        assert longest < 17
        assert store.lost
        others = sorted(pool.map(lambda _: asked(), range(20)))
        assert others[-2] < 1  # one may try, the others are told at once
    assert store.get(job.id, "").id == job.id
    assert store.lost is None
    store.close()


def test_a_locked_file_keeps_nobody_for_long(make_job_server, tmp_path):
    with make_job_server(tmp_path) as server:
        location = made(server)
        assert ended(location)["status"] == "successful"
        locking = sqlite3.connect(tmp_path / "jobs.sqlite", isolation_level=None)
        locking.execute("BEGIN EXCLUSIVE")
        try:
            with ThreadPoolExecutor(50) as pool:
                begun = time.monotonic()
                answers = [pool.submit(post, server) for _ in range(50)]
                time.sleep(0.5)
                for address in (f"{server}/health", f"{server}/processes"):
                    assert quickly(address).status_code == 200
                assert {one.result().status_code for one in answers} == {503}
                assert time.monotonic() - begun < 25
        finally:
            locking.execute("ROLLBACK")
            locking.close()
        assert ended(made(server))["status"] == "successful"


class Lossy(JobStore):
    """Does what it is told once, but the answer is lost."""

    losing: ClassVar[set[str]] = set()

    def succeed(self, *arguments):
        return self._lost("succeed", super().succeed(*arguments))

    def claim(self, *arguments):
        found = super().claim(*arguments)
        return self._lost("claim", found) if found else None

    def _lost(self, name, answer):
        if name in self.losing:
            self.losing.discard(name)
            raise StoreUnavailable("the answer was lost")
        return answer


@pytest.mark.parametrize("word", ["succeed", "claim"])
def test_a_word_whose_answer_was_lost_counts_once(make_job_server, tmp_path, monkeypatch, word):
    monkeypatch.setattr(lab, "JobStore", Lossy)
    room = lab.job_room(tmp_path)
    Lossy.losing = {word}
    with make_job_server(tmp_path, room) as server:
        location = made(server, count=3)
        assert ended(location)["status"] == "successful"
        assert get(f"{location}/results").json()["lab"]["inputs"]["count"] == 3
        assert not Lossy.losing
        store = JobStore(tmp_path / "jobs.sqlite")
        assert store.find(JobQuery("", 10))[0].attempts == 1
        store.close()
