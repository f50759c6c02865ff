"""The record of jobs: the same rules on SQLite and on PostgreSQL."""

import gc
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy

from samgis_process.errors import Overloaded, StoreUnavailable, StoreUnusable
from samgis_process.jobs import JobStore
from samgis_process.jobs.job import Status
from samgis_process.ogc.jobs import JobQuery

REQUEST = {"inputs": {"name": "x", "où": [1, None, {"a": 0.5}]}}
PROBLEM = {"type": "urn:x", "status": 503, "detail": "gone"}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    return request.getfixturevalue("database")


@pytest.fixture
def store(url):
    store = JobStore(url)
    yield store
    store.close()


def add(store, process="alpha", owner="", queue=1000):
    return store.add(process, owner, REQUEST, {"response": "raw"}, queue)


def find(store, owner="", limit=100, **query):
    return [job.id for job in store.find(JobQuery(owner, limit, **query))]


def test_the_id_of_a_job_cannot_be_guessed(store):
    ids = [uuid.UUID(add(store).id) for _ in range(3)]
    assert {one.version for one in ids} == {4}  # random
    assert len(set(ids)) == 3


def test_a_job_waits_runs_and_ends(store):
    made = add(store)
    assert made == store.get(made.id, "")
    assert (made.status, made.progress, made.started, made.finished) == ("accepted", 0, None, None)
    claim = store.claim("w", 10)
    assert (claim.id, claim.attempt, claim.request) == (made.id, 1, REQUEST)
    running = store.get(made.id, "")
    assert running.status == Status.RUNNING
    assert running.created <= running.started <= running.updated
    assert store.report(claim, 40, "tile 4 of 10")
    reported = store.get(made.id, "")
    assert (reported.progress, reported.message) == (40, "tile 4 of 10")
    assert store.succeed(claim, claim.results)
    done = store.get(made.id, "")
    assert (done.status, done.progress, done.results) == ("successful", 100, f"{made.id}.1")
    assert done.started <= done.finished == done.updated
    assert done.finished.tzinfo == UTC
    assert done.answer == {"response": "raw"}


def test_a_failed_job_keeps_its_problem(store):
    made = add(store)
    store.fail(store.claim("w", 10), PROBLEM)
    found = store.get(made.id, "")
    assert (found.status, found.problem, found.message) == ("failed", PROBLEM, "gone")


def test_the_oldest_is_claimed_first_and_once(store):
    ids = []
    for _ in range(3):
        ids.append(add(store).id)
        time.sleep(0.002)
    assert [store.claim("w", 10).id for _ in ids] == ids
    assert store.claim("w", 10) is None


def test_claims_never_meet(store):
    for _ in range(60):
        add(store)

    def claim_all(worker):
        return [claim.id for claim in iter(lambda: store.claim(worker, 10), None)]

    with ThreadPoolExecutor(6) as workers:
        claimed = [job for found in workers.map(claim_all, "abcdef") for job in found]
    # Who looked while another was taking the last one saw it gone; none is lost or taken twice.
    assert len(claimed) == len(set(claimed)) == 60


def test_a_full_queue_refuses(store):
    for _ in range(3):
        add(store, queue=3)
    with pytest.raises(Overloaded, match="3 jobs are waiting"):
        add(store, queue=3)
    store.claim("w", 10)
    assert add(store, queue=3)


def test_what_was_dismissed_stays_dismissed(store):
    made = add(store)
    claim = store.claim("w", 10)
    assert store.dismiss(made.id, "").status == Status.RUNNING
    assert not store.holds(claim)
    said = (
        store.renew(claim, 10),
        store.report(claim, 50, "late"),
        store.succeed(claim, claim.results),
        store.fail(claim, PROBLEM),
        store.release(claim, "again", counts=True),
    )
    assert not any(said)
    found = store.get(made.id, "")
    assert (found.status, found.results) == ("dismissed", None)
    assert store.dismiss(made.id, "").status == Status.DISMISSED
    assert store.dismiss("nope", "") is None


def test_the_end_of_a_job_is_its_first_end(store):
    made = add(store)
    claim = store.claim("w", 10)
    store.succeed(claim, claim.results)
    before = store.get(made.id, "")
    assert store.dismiss(made.id, "").results == claim.results
    assert store.get(made.id, "").finished == before.finished


def test_a_lost_worker_is_noticed_and_its_words_do_not_count(store):
    made = add(store)
    lost = store.claim("w", 0.01)
    time.sleep(0.05)
    assert [claim.id for claim in store.expired(())] == [made.id]
    assert store.expired({made.id}) == []
    assert store.release(store.expired(())[0], "waiting again", counts=True)
    again = store.get(made.id, "")
    assert (again.status, again.started, again.message) == ("accepted", None, "waiting again")
    second = store.claim("v", 10)
    assert (second.attempt, second.request) == (2, REQUEST)
    assert not store.succeed(lost, lost.results)
    assert store.succeed(second, second.results)
    assert store.get(made.id, "").results == f"{made.id}.2"


def test_a_try_can_be_given_back(store):
    add(store)
    store.release(store.claim("w", 10), "the server stopped", counts=False)
    assert store.claim("w", 10).attempt == 1


def test_a_lease_is_renewed(store):
    add(store)
    claim = store.claim("w", 0.01)
    assert store.renew(claim, 10)
    time.sleep(0.05)
    assert store.expired(()) == []


def test_jobs_belong_to_their_owner(store):
    mine, other = add(store, owner="me"), add(store, owner="you")
    assert store.get(other.id, "me") is None
    assert store.dismiss(other.id, "me") is None
    assert store.get(other.id, "you").status == Status.ACCEPTED
    assert find(store, "me") == [mine.id]


def test_jobs_are_counted_by_process_and_status(store):
    assert store.counts() == {}
    for process, owner in (("alpha", "me"), ("alpha", "you"), ("beta", "me")):
        add(store, process, owner)
    store.succeed(claim := store.claim("w", 10), claim.results)
    assert store.counts() == {
        ("alpha", "accepted"): 1, ("alpha", "successful"): 1, ("beta", "accepted"): 1,
    }  # fmt: skip


def test_filters(store):
    begun = datetime.now(UTC) - timedelta(seconds=1)
    first = add(store, "alpha").id
    time.sleep(0.01)
    middle = datetime.now(UTC)
    time.sleep(0.01)
    second, third = add(store, "beta").id, add(store, "gamma").id
    store.claim("w", 10)
    assert find(store, process_ids=("alpha", "beta")) in ([second, first], [first, second])
    assert find(store, statuses=("running",)) == [first]
    assert set(find(store, statuses=("accepted", "failed"))) == {second, third}
    assert find(store, created_to=middle) == [first]
    assert set(find(store, created_from=middle)) == {second, third}
    assert find(store, created_to=begun) == []
    assert find(store, process_ids=("nope",)) == []


def test_durations(store):
    ran, waits = add(store).id, add(store).id
    claim = store.claim("w", 10)
    time.sleep(0.15)
    assert find(store, min_duration_s=0.1) == [ran]
    assert find(store, max_duration_s=0.1) == []
    store.succeed(claim, claim.results)
    job = store.get(ran, "")
    lasted = (job.finished - job.started).total_seconds()
    time.sleep(0.15)  # what has ended does not grow older
    assert find(store, min_duration_s=lasted - 0.01, max_duration_s=lasted + 0.01) == [ran]
    store.dismiss(waits, "")  # never began: it has no duration
    assert find(store, min_duration_s=0) == [ran]


def test_pages_hold_each_job_once_whatever_is_added(store):
    made = {add(store).id for _ in range(7)}
    seen, after = [], None
    while page := store.find(JobQuery("", 3, after=after)):
        seen += [job.id for job in page]
        after = (page[-1].created, page[-1].id)
        add(store)
    assert len(seen) == 7
    assert set(seen) == made


def test_only_what_ended_long_ago_is_forgotten(store):
    done, running, waiting = (add(store).id for _ in range(3))
    claims = [store.claim("w", 10) for _ in range(2)]
    ended = next(claim for claim in claims if claim.id == done or claim.id != waiting)
    store.succeed(ended, ended.results)
    assert store.forget(3600) == 0
    time.sleep(0.02)
    assert store.forget(0.01) == 1
    assert set(find(store)) == {done, running, waiting} - {ended.id}


def test_outputs_in_use_are_known(store):
    done, running = add(store), add(store)
    claims = [store.claim("w", 10), store.claim("w", 10)]
    store.succeed(claims[0], claims[0].results)
    names = [f"{job.id}.{number}" for job in (done, running) for number in (1, 2)] + ["x"]
    assert store.results_in_use(names) & set(names) == {claim.results for claim in claims}


def test_a_path_may_hold_anything(tmp_path):
    path = tmp_path / "a ?b=c%20#d" / "jobs.sqlite"
    JobStore(path).close()
    assert path.exists()


def test_a_store_is_opened_again(store, url):
    made = add(store)
    again = JobStore(url)
    assert again.get(made.id, "") == made
    again.close()


def test_many_servers_may_make_the_tables_at_once(url):
    barrier = threading.Barrier(4)

    def opened(_):
        barrier.wait()
        JobStore(url).close()

    with ThreadPoolExecutor(4) as servers:
        list(servers.map(opened, range(4)))


def test_a_store_of_another_version_is_refused_in_words(url):
    JobStore(url).close()
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE samgis_schema SET version = 99"))
    engine.dispose()
    with pytest.raises(StoreUnusable, match="version 99 of its tables; this server reads"):
        JobStore(url)


@pytest.mark.alone
def test_ten_thousand_jobs_are_listed_filtered_and_changed_quickly(store, url, capsys):
    """Generous bounds: what is looked for is a scan or a sort of all, which takes much longer."""
    _fill(url, 10_000)
    ids = find(store, limit=50)
    query = {"limit": 10}
    work = {
        "the newest 10": lambda: find(store, **query),
        "the next page": lambda: find(store, after=(datetime.now(UTC), ids[9]), **query),
        "by process": lambda: find(store, process_ids=("beta",), **query),
        "by status": lambda: find(store, statuses=("failed", "running"), **query),
        "by time": lambda: find(store, created_to=datetime(2026, 1, 2, tzinfo=UTC), **query),
        "by duration": lambda: find(store, min_duration_s=9.5, **query),
        "one": lambda: store.get(ids[3], ""),
        "add": lambda: add(store),
        "claim and report": lambda: store.report(store.claim("w", 10), 5, "x"),
        "dismiss": lambda: store.dismiss(ids.pop(), ""),
    }
    figures = {name: _milliseconds(action) for name, action in work.items()}
    with capsys.disabled():
        words = ", ".join(f"{name} {figure:.1f}" for name, figure in figures.items())
        print(f"\n10,000 jobs, {url.partition(':')[0]}, median ms: {words}")
    assert max(figures.values()) < 100


def _milliseconds(action):
    taken = []
    for _ in range(15):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[7] * 1000


def _fill(url, number):
    from samgis_process.jobs.tables import JOBS

    engine = sqlalchemy.create_engine(url)
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6)
    names, states = ("alpha", "beta", "gamma"), ("successful", "failed", "dismissed")
    rows = [
        {
            "id": f"{i:08x}-0000-4000-8000-000000000000",
            "process_id": names[i % 3],
            "owner": "",
            "status": states[i % 7 % 3],
            "message": "Done",
            "progress": 100,
            "created": start + i * 10**7,
            "started": start + i * 10**7 + 10**5,
            "finished": start + i * 10**7 + 10**5 + (i % 100) * 10**5,
            "updated": start + i * 10**7,
            "attempts": 1,
            "answer": "{}",
            "request": '"' + "x" * 2000 + '"',
        }
        for i in range(number)
    ]
    with engine.begin() as connection:
        connection.execute(sqlalchemy.insert(JOBS), rows)
        connection.execute(sqlalchemy.text("ANALYZE"))  # PostgreSQL does so within a minute
    engine.dispose()


def test_no_database_is_said_in_words(tmp_path):
    (tmp_path / "file").write_text("this is no database, but it is longer than a header" * 20)
    for url, words in (
        (f"sqlite:///{tmp_path}/file", "not a database"),
        (f"sqlite:///{tmp_path}/file/below/jobs.sqlite", "cannot be opened"),
        ("nonsense", "no address of a database"),
        ("oracle+nonsense://x/y", "no address of a database"),
    ):
        with pytest.raises(StoreUnusable, match=words):
            JobStore(url)


def test_a_damaged_file_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "jobs.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnusable, match=r"jobs\.sqlite cannot be opened: .*Move the file"):
        JobStore(path)
    with pytest.raises(StoreUnusable, match=r"jobs\.sqlite cannot be opened"):
        JobStore(f"sqlite:///{path}")


def test_a_file_that_is_damaged_while_it_is_used_is_unavailable(tmp_path, caplog):
    path = tmp_path / "jobs.sqlite"
    store = JobStore(path)
    made = add(store)
    store.close()
    with path.open("r+b") as file:
        file.write(b"\0" * 4096)
    for beside in tmp_path.glob("jobs.sqlite-*"):
        beside.unlink()
    for _ in range(20):
        with pytest.raises(StoreUnavailable):
            store.get(made.id, "")
    assert caplog.text.count("the record of jobs cannot be used") == 1
    assert store.lost
    store.close()


def test_large_requests_of_waiting_jobs_have_room_together(store):
    large = {"inputs": {"image": "x" * 100_000}}
    for _ in range(3):
        store.add("alpha", "", large, {}, 1000, 350_000)
    with pytest.raises(Overloaded, match=r"jobs\.max_bytes"):
        store.add("alpha", "", large, {}, 1000, 350_000)
    add(store)  # a small one always finds room
    assert store.request_bytes() > 300_000
    claim = store.claim("w", 10)
    store.fail(claim, PROBLEM)
    store.add("alpha", "", large, {}, 1000, 350_000)


def test_what_a_job_says_is_short(store):
    claim = store.claim("w", 10) if add(store) else None
    store.report(claim, 5, "x" * 100_000)
    assert len(store.get(claim.id, "").message) <= 1000
    faults = [{"input": "a", "message": "x" * 1000}] * 1000
    store.fail(claim, PROBLEM | {"detail": "y" * 100_000, "errors": faults})
    job = store.get(claim.id, "")
    assert len(job.message) <= 1000
    assert job.problem == PROBLEM | {"detail": "y" * 1000}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_database_that_went_away_and_came_back(postgresql, database):
    store = JobStore(database)
    made = add(store)
    postgresql.stop("fast")  # anything harder would lose what is not on disk: fsync is off
    try:
        with pytest.raises(StoreUnavailable, match="Try again") as caught:
            store.get(made.id, "")
        assert "psycopg" not in str(caught.value)
    finally:
        postgresql.start()
    assert store.get(made.id, "") == made
    store.close()
    gc.collect()  # psycopg warns of connections that broke, here and not in another test


def test_no_job_begins_before_it_is_made(store, monkeypatch):
    """Two servers look at their clocks, and one writes a little later."""
    made = add(store)
    earlier = made.created - timedelta(milliseconds=5)
    monkeypatch.setattr("samgis_process.jobs.store.now", lambda: earlier)
    store.claim("worker", 10)
    begun = store.get(made.id, "")
    assert begun.created == begun.started == begun.updated
