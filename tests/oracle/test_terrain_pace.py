"""A terrain picture costs little beside the encoder that looks at it: `make bench` has the table.

Process time of one thread each, in one run. Measured 0.06 to 0.09 of the encoder; the bound leaves
room for a busy machine.
"""

import pytest


@pytest.fixture(scope="module")
def bench(script, model_dir):  # noqa: ARG001  # builds the models
    return script("bench/terrain")


@pytest.mark.alone
def test_a_terrain_picture_costs_less_than_a_seventh_of_the_encoder(bench):
    drawn = bench.ours(bench.hills())["rendering terrain"]
    best = bench.best_times({"encoder": bench.encoder(bench.MODELS), "terrain": drawn}, rounds=3)
    assert best["terrain"] < best["encoder"] / 7


@pytest.mark.parametrize("name", ["terrain", "slope", "curvature", "tpi", "hillshade", "openness"])
def test_layers_need_a_few_times_the_memory_of_their_result(bench, name):
    """Strips and their results; not a stack of whole windows."""
    surface = bench.hills()
    run = bench.ours(surface)["rendering terrain" if name == "terrain" else name]
    assert bench.peak_of_output(run) < 5
