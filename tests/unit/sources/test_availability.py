import threading
import types

import pytest

from samgis_process.errors import SourceTimeout, SourceUnavailable
from samgis_process.settings import ConfigurationError
from samgis_process.sources.availability import RETRY_S, Opening, open_together


class Mount:
    """Something to open that is there or not, and a clock."""

    def __init__(self, error=None):
        self.error, self.tries, self.now = error, 0, 100.0
        self.source = types.SimpleNamespace()
        self.opening = Opening("north", self._open, lambda: self.now)

    def _open(self):
        self.tries += 1
        if self.error:
            raise self.error
        return self.source


def test_a_source_is_opened_once():
    mount = Mount()
    assert mount.opening.availability().state == "unopened"
    assert mount.opening.get() is mount.opening.get() is mount.source
    assert mount.tries == 1
    assert mount.opening.availability().state == "available"


@pytest.mark.parametrize("error", [SourceUnavailable("gone"), OSError(28, "No space left")])
def test_one_that_fails_says_why_and_is_left_alone_for_a_while(error):
    mount = Mount(error)
    for _ in range(3):
        with pytest.raises(SourceUnavailable, match=r"gone|No space left"):
            mount.opening.get()
    assert mount.tries == 1
    told = mount.opening.availability()
    assert told.state == "unavailable"
    assert "gone" in told.reason or "No space left" in told.reason


def test_one_that_comes_back_works_without_a_restart():
    mount = Mount(SourceTimeout("slow"))
    with pytest.raises(SourceTimeout):
        mount.opening.get()
    mount.error = None
    with pytest.raises(SourceTimeout):
        mount.opening.get()
    mount.now += RETRY_S
    assert mount.opening.get() is mount.source
    assert mount.opening.availability().reason == ""


def test_asking_how_it_is_tries_it_again_without_waiting():
    mount = Mount(SourceUnavailable("gone"))
    with pytest.raises(SourceUnavailable):
        mount.opening.get()
    mount.error, opened = None, threading.Event()
    build = mount._open
    mount.opening._build = lambda: (opened.wait(5), build())[1]
    mount.now += RETRY_S
    assert mount.opening.availability().state == "unavailable"
    opened.set()
    for thread in threading.enumerate():
        if thread.name == "open-north":
            thread.join(5)
    assert mount.opening.availability().state == "available"


def test_nobody_waits_for_another_try_of_one_that_has_failed():
    mount = Mount(SourceUnavailable("gone"))
    with pytest.raises(SourceUnavailable):
        mount.opening.get()
    begun, release = threading.Event(), threading.Event()
    mount.opening._build = lambda: (begun.set(), release.wait(5), mount.source)[2]
    mount.now += RETRY_S
    trying = threading.Thread(target=mount.opening.get)
    trying.start()
    begun.wait(5)
    with pytest.raises(SourceUnavailable, match="gone"):
        mount.opening.get()
    release.set()
    trying.join()
    assert mount.opening.get() is mount.source


def test_nonsense_is_known_as_such_at_start_and_as_unavailable_later():
    mount = Mount(ConfigurationError("band 5 of 3"))
    with pytest.raises(ConfigurationError):
        mount.opening.open()
    with pytest.raises(SourceUnavailable, match="band 5 of 3"):
        mount.opening.get()


def test_one_that_hangs_holds_up_neither_the_start_nor_requests():
    slow, quick, release = Mount(), Mount(), threading.Event()
    slow.opening._build = lambda: (release.wait(5), slow.source)[1]
    open_together([slow.opening, quick.opening], wait_s=0.05)
    assert quick.opening.availability().state == "available"
    assert "within 0 s" in slow.opening.availability().reason
    with pytest.raises(SourceTimeout):
        slow.opening.get()
    release.set()
    slow.opening._lock.acquire(timeout=5)
    assert slow.opening._source is slow.source


@pytest.mark.parametrize("error", [ConfigurationError("band 5"), OSError(), ValueError("odd")])
def test_whatever_one_source_is_the_others_are_opened(error):
    odd, good = Mount(error), Mount()
    open_together([odd.opening, good.opening])
    assert good.opening.availability().state == "available"
    assert odd.opening.availability().state == "unavailable"
    assert odd.opening.availability().reason
    with pytest.raises(SourceUnavailable):
        odd.opening.get()
