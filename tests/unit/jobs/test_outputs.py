"""The outputs of jobs as files."""

import os

import pytest

from samgis_process.errors import NoRoom, NoSuchResult
from samgis_process.jobs.outputs import OutputFile, OutputStore

FILES = {
    "a/b": OutputFile("image/png", "bytes", b"\x89PNG"),
    "../x": OutputFile("application/json", "json", b"7"),
}


@pytest.fixture
def store(tmp_path):
    return OutputStore(tmp_path / "jobs")


def test_what_was_written_is_read_back(store, tmp_path):
    store.write("one.1", FILES)
    found = store.find("one.1")
    assert {
        name: OutputFile(one.media_type, one.kind, one.content) for name, one in found.items()
    } == FILES
    # Names of outputs lead nowhere on the disk.
    assert [path.name for path in tmp_path.iterdir()] == ["jobs"]


def test_a_try_is_written_over(store):
    store.write("one.1", FILES)
    store.write("one.1", {})
    assert store.find("one.1") == {}


def test_what_is_not_there_is_said(store):
    store.write("one.1", FILES)
    found = store.find("one.1")
    store.remove("one.1")
    for call in (lambda: store.find("one.1"), lambda: found["a/b"].content):
        with pytest.raises(NoSuchResult, match="not there any more"):
            call()
    assert OutputStore(store.directory / "nowhere").names() == []


def test_where_nothing_can_be_written_nothing_is_left(store, tmp_path):
    (tmp_path / "jobs").write_text("a file where the directory should be")
    with pytest.raises(NoRoom, match="cannot be kept"):
        store.write("one.1", FILES)


def test_the_oldest_go_first(store):
    for age, name in enumerate(("new", "middle", "old")):
        store.write(name, {"x": OutputFile("text/plain", "text", b"x" * 1000)})
        changed = 1_000_000 - age
        os.utime(store.directory / name / "outputs.json", (changed, changed))
    (store.directory / "being-written").mkdir()
    store.make_room(2500)
    assert set(store.names()) == {"new", "middle", "being-written"}
