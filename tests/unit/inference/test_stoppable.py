"""Runs that nobody wants any more end in their middle, and the session goes on."""

import threading
import time

import numpy as np
import pytest

from samgis_process.inference.room import ModelRoom
from samgis_process.inference.sessions import Runtime, stoppable


@pytest.mark.alone
def test_an_encoder_run_ends_in_its_middle(model_dir):
    model = ModelRoom(model_dir.parent, "mobile-sam", Runtime(1)).default
    image = np.random.default_rng(0).integers(0, 255, (1024, 1024, 3), np.uint8)
    begun = time.perf_counter()
    whole = model.encode(image)
    takes = time.perf_counter() - begun

    unwanted = threading.Event()
    timer = threading.Timer(0.2 * takes, unwanted.set)
    timer.start()
    begun = time.perf_counter()
    with stoppable(unwanted.is_set), pytest.raises(Exception, match="terminate"):
        model.encode(image)
    assert time.perf_counter() - begun < 0.8 * takes
    timer.join()

    again = model.encode(image)
    assert all(np.array_equal(again[name], whole[name]) for name in whole)


def test_a_wanted_run_is_as_without_the_question(model_dir):
    model = ModelRoom(model_dir.parent, "mobile-sam", Runtime(1)).default
    image = np.full((64, 64, 3), 90, np.uint8)
    with stoppable(lambda: False):
        asked = model.encode(image)
    assert all(np.array_equal(asked[name], model.encode(image)[name]) for name in asked)
