import os
import threading
import time

import pytest

from samgis_process.embeddings import BlobStore


@pytest.fixture
def store(tmp_path):
    return BlobStore(tmp_path / "store", 10_000)


def test_what_was_put_comes_back(store):
    store.put("aa", {"a": 1}, b"\x00payload")
    blob = store.get("aa")
    assert blob.header == {"a": 1}
    assert bytes(blob.payload) == b"\x00payload"
    assert store.get("bb") is None


def test_another_store_on_the_same_directory_finds_it(store):
    store.put("aa", {}, b"x")
    assert bytes(BlobStore(store.directory, 10).get("aa").payload) == b"x"


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "header"])
def test_a_damaged_file_is_a_miss_and_goes_away(store, damage):
    store.put("aa", {"a": 1}, b"payload" * 10)
    path = next(store.directory.iterdir())
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-3]
    elif damage == "flip":
        data[-1] ^= 1
    elif damage == "header":
        data[10] ^= 0xFF
    else:
        data = b""
    path.write_bytes(data)
    assert store.get("aa") is None
    assert not path.exists()


def test_the_least_recently_used_go_first(store):
    for index in range(8):
        store.put(f"{index:02x}", {}, b"x" * 1000)
        path = store.directory / f"{index:02x}.blob"
        os.utime(path, (1000 + index, 1000 + index))
    store.get("00")
    for index in range(8, 13):
        store.put(f"{index:02x}", {}, b"x" * 1000)
    left = {path.name for path in store.directory.glob("*.blob")}
    assert "00.blob" in left
    assert "01.blob" not in left
    assert "0c.blob" in left
    assert store.stats().size_bytes <= 10_000


def test_a_disk_that_cannot_be_written_is_no_error(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    store = BlobStore(tmp_path / "file" / "store", 1000)
    store.put("aa", {}, b"x")
    assert store.get("aa") is None
    assert "cannot keep" in caplog.text


def test_clear_removes_everything_and_says_what_it_was(store):
    store.put("aa", {}, b"x")
    store.put("bb", {}, b"y")
    assert store.clear().entries == 2
    assert store.stats().entries == 0


def test_abandoned_temporary_files_are_removed(store):
    store.put("aa", {}, b"x")
    old = store.directory / "bb.blob.1234.tmp"
    old.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    BlobStore(store.directory, 10_000).put("cc", {}, b"y")
    assert not old.exists()


def test_many_threads_may_write_and_read_one_key(store):
    wrong = []

    def work(number):
        for _ in range(50):
            store.put("aa", {"n": number}, bytes([number]) * 500)
            blob = store.get("aa")
            if blob and bytes(blob.payload) != bytes([blob.header["n"]]) * 500:
                wrong.append(blob.header)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert store.get("aa") is not None
