"""The store of results: whole or not there, for a time, within its bounds."""

import errno
import os
import threading
import time
import uuid
from pathlib import Path

import pytest

from samgis_process.errors import NoRoom, NoSuchResult
from samgis_process.results import BLOCK, File, ResultStore

DAY = 24 * 3600
TIF = "image/tiff"
ID = "9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad"


class Clock:
    """Seconds that pass when told."""

    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make(tmp_path, clock):
    return lambda max_bytes=10**9: ResultStore(tmp_path / "results", DAY, max_bytes, clock)


@pytest.fixture
def store(make):
    return make()


def kept(store, content=b"abc", name="a.tif"):
    ticket = store.ticket()
    store.keep(ticket, {name: File(TIF, content)})
    return ticket


def kept_for_job(store, content=b"abc"):
    ticket = store.ticket("", "a-job.1")
    store.keep(ticket, {"a.tif": File(TIF, content)})
    return ticket


def gone(store, ticket):
    try:
        store.find(ticket.id, "a.tif")
    except NoSuchResult:
        return True
    return False


def test_a_result_is_there_for_its_owner_alone(store, clock):
    ticket = store.ticket("key:ann")
    store.keep(ticket, {"a.tif": File(TIF, b"abc")})
    assert store.find(ticket.id, "a.tif", "key:ann").path.read_bytes() == b"abc"
    for hours in (0, 25):  # nor does anybody else learn that it was there
        clock.now += hours * 3600
        for other in ("", "key:bob", "user:ann"):
            with pytest.raises(NoSuchResult, match="There is no result"):
                store.find(ticket.id, "a.tif", other)


def test_a_result_without_an_owner_is_nobodys(store):
    ticket = kept(store)
    assert store.find(ticket.id, "a.tif", "")
    with pytest.raises(NoSuchResult):
        store.find(ticket.id, "a.tif", "key:ann")


def test_a_file_comes_back_with_its_media_type(store):
    ticket = kept(store)
    found = store.find(ticket.id, "a.tif")
    assert found.path.read_bytes() == b"abc"
    assert found.media_type == TIF
    assert found.expires == ticket.expires


def test_another_process_finds_it_too(store, make):
    ticket = kept(store)
    assert make().find(ticket.id, "a.tif").path.read_bytes() == b"abc"


def test_it_is_kept_for_its_time_and_not_longer(store, clock):
    ticket = kept(store)
    clock.now += DAY - 2
    assert not gone(store, ticket)
    clock.now += 2
    with pytest.raises(NoSuchResult, match=r"kept until .* 24 hours; run the process again"):
        store.find(ticket.id, "a.tif")


def test_what_expired_leaves_the_disk(store, clock):
    kept(store)
    clock.now += DAY + 3600
    kept(store)  # looking is part of the work
    assert len(list(store.directory.iterdir())) == 1
    clock.now += DAY + 3600
    store.sweep()
    assert list(store.directory.iterdir()) == []


@pytest.mark.parametrize(
    "result_id", ["", ".", "..", "../..", "a", ID.upper(), ID.replace("-", ""), "a/b"]
)
def test_an_id_is_no_path(store, result_id):
    kept(store)
    with pytest.raises(NoSuchResult):
        store.find(result_id, "a.tif")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a.tif", "result.json", "b.tif", "/etc/passwd"]
)
def test_a_name_is_one_of_the_files(store, name):
    ticket = kept(store)
    with pytest.raises(NoSuchResult, match=r"only: a\.tif"):
        store.find(ticket.id, name)


def test_the_oldest_go_first_where_room_is_short(make, clock):
    store = make(20 * BLOCK)
    tickets = []
    for _ in range(30):
        clock.now += 1
        tickets.append(kept(store))  # with its list, two blocks
        assert sum(2 * BLOCK for one in tickets if not gone(store, one)) <= 20 * BLOCK
    assert [gone(store, one) for one in tickets] == sorted(
        (gone(store, one) for one in tickets), reverse=True
    )
    assert not gone(store, tickets[-1])
    assert sum(not gone(store, one) for one in tickets) >= 7


def test_a_result_larger_than_all_may_be_is_refused(make):
    store = make(10 * BLOCK)
    before = kept(store)
    with pytest.raises(NoRoom, match=r"results\.max_bytes.*smaller window"):
        kept(store, b"x" * 11 * BLOCK)
    assert not gone(store, before)


def test_a_full_disk_is_said_and_leaves_nothing_behind(store, monkeypatch):
    before = kept(store)
    write = Path.write_bytes

    def full(path, content):
        if path.name == "b.tif":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    ticket = store.ticket()
    with pytest.raises(NoRoom, match="No space left"):
        store.keep(ticket, {"a.tif": File(TIF, b"1"), "b.tif": File(TIF, b"2")})
    assert gone(store, ticket)
    assert [path.name for path in store.directory.iterdir()] == [before.id]


def test_a_directory_that_cannot_be_made_is_said_without_its_path(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NoRoom) as caught:
        kept(ResultStore(tmp_path / "file" / "results", DAY, 10**9))
    assert str(tmp_path) not in str(caught.value)


def test_what_a_killed_process_left_is_removed_after_a_while(store):
    ticket = kept(store)
    left, fresh = (store.directory / f".{uuid.uuid4()}.{n}.tmp" for n in "ab")
    for path in (left, fresh):
        path.mkdir()
        (path / "a.tif").write_bytes(b"half")
    os.utime(left, (time.time() - 7200,) * 2)
    store.sweep()
    assert {path.name for path in store.directory.iterdir()} == {ticket.id, fresh.name}


def test_many_writers_and_readers_see_whole_results(make):
    stores, wrong = [make(40 * BLOCK), make(40 * BLOCK)], []

    def work(store, letter):
        for _ in range(40):
            ticket = kept(store, letter * 3 * BLOCK)
            try:
                content = store.find(ticket.id, "a.tif").path.read_bytes()
            except (NoSuchResult, OSError):  # the other one needed the room
                continue
            if content != letter * 3 * BLOCK:
                wrong.append(content[:3])

    threads = [
        threading.Thread(target=work, args=(store, letter))
        for store in stores
        for letter in (b"a", b"b")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not list(stores[0].directory.glob("*.tmp"))


def test_what_a_job_links_to_is_there_until_the_job_goes(tmp_path, clock):
    store = ResultStore(tmp_path, 60, 10**9, clock, job_keep_s=DAY)
    of_job, other = kept_for_job(store), kept(store)
    clock.now += DAY + 100  # the job ended 100 s after this was kept
    store.sweep()
    assert (gone(store, of_job), gone(store, other)) == (False, True)
    store.remove_of("another-job.1")
    assert not gone(store, of_job)
    store.remove_of("a-job.1")
    assert gone(store, of_job)
    assert not [*tmp_path.iterdir()]


def test_a_job_that_is_done_again_links_to_what_was_made_last(store):
    kept_for_job(store, b"first")
    ticket = kept_for_job(store, b"second")
    assert store.find(ticket.id, "a.tif").path.read_bytes() == b"second"
