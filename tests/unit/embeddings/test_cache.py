import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from samgis_process.embeddings import BlobStore, Embedding, EmbeddingCache, embedding_key
from samgis_process.errors import Overloaded, SourceUnavailable
from samgis_process.grid import GeoBox

KEY = "ab" * 20


def cache_in(directory, wait_s=10.0):
    return EmbeddingCache(BlobStore(directory / "store", 10**9), directory / "locks", wait_s)


def some_embedding(seed=1, *, holes=False):
    rng = np.random.default_rng(seed)
    tokens = rng.normal(size=(4096, 256)).astype(np.float16)
    fine = rng.normal(size=(1, 3, 8, 8)).astype(np.float16)
    return Embedding(
        {"tokens": tokens, "finer": fine},
        rng.random((37, 53)) > 0.3 if holes else None,
        {"name": "x"},
    )


@pytest.mark.parametrize("holes", [False, True])
def test_an_embedding_comes_back_as_it_was(tmp_path, holes):
    made = some_embedding(holes=holes)
    assert cache_in(tmp_path).get(KEY, lambda: made)[1] == "miss"
    found, state = cache_in(tmp_path).get(KEY, pytest.fail)
    assert state == "hit"
    assert list(found.features) == ["tokens", "finer"]
    for name, values in made.features.items():
        np.testing.assert_array_equal(found.features[name], values)
    if holes:
        np.testing.assert_array_equal(found.valid, made.valid)
    assert found.facts == {"name": "x"}


def test_threads_that_come_together_make_it_once(tmp_path):
    cache, made, states = cache_in(tmp_path), [], []

    def make():
        made.append(1)
        time.sleep(0.2)
        return some_embedding()

    threads = [
        threading.Thread(target=lambda: states.append(cache.get(KEY, make)[1])) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert sorted(states) == ["miss"] + ["shared"] * 5


IN_PROCESS = """
import sys, time
from pathlib import Path
import numpy as np
from samgis_process.embeddings import BlobStore, Embedding, EmbeddingCache

directory = Path(sys.argv[1])
cache = EmbeddingCache(BlobStore(directory / "store", 10**9), directory / "locks", 10)
print("ready", flush=True)
sys.stdin.readline()

def make():
    time.sleep(0.5)
    return Embedding({"tokens": np.zeros((4096, 256), np.float16)})

print(cache.get("ab" * 20, make)[1])
"""


def test_processes_that_come_together_make_it_once(tmp_path):
    command = [sys.executable, "-c", IN_PROCESS, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen(command, **pipes) for _ in range(3)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    states = sorted(worker.communicate(timeout=60)[0].strip() for worker in workers)
    assert states == ["miss", "shared", "shared"]


def test_a_failure_leaves_nothing_behind_and_the_next_one_tries_again(tmp_path):
    cache = cache_in(tmp_path)

    def fail():
        raise SourceUnavailable("down")

    with pytest.raises(SourceUnavailable):
        cache.get(KEY, fail)
    assert cache.get(KEY, some_embedding)[1] == "miss"


def test_waiting_has_an_end(tmp_path):
    release = threading.Event()

    def make():
        release.wait(20)
        return some_embedding()

    holder = threading.Thread(target=cache_in(tmp_path).get, args=(KEY, make))
    holder.start()
    time.sleep(0.1)
    with pytest.raises(Overloaded):
        cache_in(tmp_path, wait_s=0.1).get(KEY, some_embedding)
    release.set()
    holder.join()


GRID = GeoBox(16, 10, 20, 300, 200)
FIELDS = {
    "source": "a",
    "source_version": "1",
    "grid": GRID,
    "rendering": "rgb:1",
    "model": "m",
    "preprocessing": "p",
}
VARIED = [
    {"source": "b"},
    {"source_version": "2"},
    {"rendering": "rgb:2"},
    {"model": "n"},
    {"preprocessing": "q"},
    {"source": "a1", "source_version": ""},
    {"source": "", "source_version": "a1"},
    *(
        {"grid": replace(GRID, **change)}
        for change in (
            {"zoom": 17},
            {"col_off": 11},
            {"row_off": 21},
            {"width": 301},
            {"height": 201},
            {"tile_size": 512},
        )
    ),
]


def test_every_field_changes_the_key():
    keys = [embedding_key(**FIELDS), *(embedding_key(**(FIELDS | change)) for change in VARIED)]
    assert len(set(keys)) == len(keys)
    assert embedding_key(**FIELDS) == keys[0]


def test_the_key_varies_with_every_field_there_is():
    varied = {name for change in VARIED for name in change}
    assert varied == set(FIELDS)
