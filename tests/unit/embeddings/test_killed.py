"""A process that is killed while it encodes keeps nobody waiting."""

import subprocess
import sys
import time

import numpy as np

from samgis_process.embeddings import BlobStore, Embedding, EmbeddingCache

HOLDER = """
import sys, time
from pathlib import Path
from samgis_process.embeddings import BlobStore, EmbeddingCache

directory = Path(sys.argv[1])
cache = EmbeddingCache(BlobStore(directory / "store", 10**9), directory / "locks", 10)

def make():
    print("encoding", flush=True)
    time.sleep(60)

cache.get("ab" * 20, make)
"""


def cache_in(directory, wait_s=20.0):
    return EmbeddingCache(BlobStore(directory / "store", 10**9), directory / "locks", wait_s)


def nothing():
    return Embedding({"tokens": np.zeros((4096, 256), np.float16)})


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "encoding\n"
        holder.kill()
    begun = time.monotonic()
    assert cache_in(tmp_path).get("ab" * 20, nothing)[1] == "miss"
    assert time.monotonic() - begun < 5


def test_lock_files_stay_few(tmp_path):
    cache = cache_in(tmp_path)
    for number in range(5000):
        with cache._alone(f"{number:04x}{'0' * 36}"):
            pass
    assert len(list((tmp_path / "locks").iterdir())) <= 4096
    assert len(cache._in_process) <= 4096


def test_without_lock_files_one_process_still_encodes_once(tmp_path):
    (tmp_path / "locks").write_text("in the way")
    cache = cache_in(tmp_path)
    assert [cache.get("ab" * 20, nothing)[1] for _ in range(2)] == ["miss", "hit"]
