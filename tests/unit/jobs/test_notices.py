import threading
import time

import pytest

from samgis_process.errors import StoreUnavailable
from samgis_process.jobs.notices import NoticeLimits, Notices
from samgis_process.outbound import Refused, Unreachable


class Receiver:
    """Raises what it is told, then takes."""

    def __init__(self, *troubles):
        self.troubles = list(troubles)
        self.tried = []
        self.changed = threading.Condition()

    def __call__(self, address, content):
        with self.changed:
            self.tried.append((time.monotonic(), address, content))
            self.changed.notify_all()
            if self.troubles:
                raise self.troubles.pop(0)

    def wait(self, number, seconds=5):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.tried) >= number, seconds)


@pytest.fixture
def send():
    opened = []

    def send(receiver, **limits):
        notices = Notices(receiver, NoticeLimits(**({"workers": 1, "backoff_s": 0.05} | limits)))
        notices.start()
        opened.append(notices)
        return notices

    yield send
    for notices in opened:
        notices.close()


def say(text="x"):
    return lambda: ("somewhere", text.encode())


def test_a_message_is_made_when_it_is_sent_and_tried_with_growing_pauses(send):
    receiver = Receiver(Unreachable("a"), Unreachable("b"))
    send(receiver).put("it", say())
    receiver.wait(3)
    first, second, third = (moment for moment, _, _ in receiver.tried)
    assert 0.04 < second - first < third - second
    time.sleep(0.3)
    assert len(receiver.tried) == 3


@pytest.mark.parametrize(
    "trouble", [Unreachable("no", passing=False), Refused("no"), ZeroDivisionError()]
)
def test_what_makes_no_sense_is_not_tried_again(send, trouble):
    receiver = Receiver(trouble)
    notices = send(receiver)
    notices.put("it", say())
    notices.put("other", say("y"))
    receiver.wait(2)
    time.sleep(0.2)
    assert [content for _, _, content in receiver.tried] == [b"x", b"y"]


def test_a_message_that_cannot_be_made_now_is_made_later(send):
    receiver, troubles = Receiver(), [StoreUnavailable("later")]

    def make():
        if troubles:
            raise troubles.pop()
        return "somewhere", b"x"

    notices = send(receiver)
    notices.put("nothing", lambda: None)
    notices.put("it", make)
    receiver.wait(1)
    assert len(receiver.tried) == 1


def test_a_message_that_waits_for_another_try_holds_no_thread(send):
    receiver = Receiver(Unreachable("a"))
    notices = send(receiver, backoff_s=30)
    notices.put("it", say("slow"))
    notices.put("other", say("quick"))
    receiver.wait(2)
    begun = time.monotonic()
    notices.close()
    assert time.monotonic() - begun < 1


def test_too_many_messages_are_dropped(send):
    gate = threading.Event()
    receiver = Receiver()

    def make():
        gate.wait(5)
        return "somewhere", b""

    notices = send(receiver, queue=2)
    notices.put("held", make)
    time.sleep(0.1)
    for _ in range(5):
        notices.put("more", make)
    gate.set()
    receiver.wait(3)
    time.sleep(0.1)
    assert len(receiver.tried) == 3
