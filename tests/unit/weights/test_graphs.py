"""The pieces that graphs are authored with compute what their names say."""

import numpy as np
import onnxruntime as ort
import pytest

from samgis_process.weights import attention
from samgis_process.weights.graph import Graph


def run(g, inputs, output, shape):
    model = g.model({name: x.shape for name, x in inputs.items()}, {output: shape})
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run([output], inputs)[0]


@pytest.fixture
def random():
    return np.random.default_rng(3)


def normal(random, *shape):
    return random.normal(size=shape).astype(np.float32)


def test_parts_are_worked_on_one_by_one_and_stacked(random):
    x = normal(random, 3, 4, 5)
    g = Graph("g")
    total = g.op("ReduceSum", "x", np.array([0, 1, 2]), keepdims=0)  # a value from outside
    (y,) = g.in_parts(["x"], lambda part, share: part.add(part.op("Exp", share), total))
    g.op("Identity", y, output="y")
    np.testing.assert_allclose(run(g, {"x": x}, "y", x.shape), np.exp(x) + x.sum(), atol=1e-5)


@pytest.mark.parametrize(("asked", "expected"), [(1, 9), (-1, 4)])
def test_one_of_two_branches_runs(asked, expected):
    g = Graph("g")
    (y,) = g.either(
        g.op("Greater", "x", np.float32(0)),
        lambda yes: yes.op("Identity", np.float32(9)),
        lambda no: no.op("Identity", np.float32(4)),
    )
    g.op("Identity", y, output="y")
    assert run(g, {"x": np.array(asked, np.float32)}, "y", ()) == expected


def test_a_constant_used_inside_and_outside_is_stored_once():
    g = Graph("g")
    weight = np.ones((4, 4), np.float32)
    g.in_parts([g.matmul("x", weight)], lambda part, share: part.matmul(share, weight))
    assert len(g.constants) == 1


@pytest.mark.parametrize("prompts", [1, 7, 30])
def test_both_forms_of_attention_agree(random, prompts):
    weights = {
        f"{name}_proj.{part}": 0.1 * normal(random, *shape)
        for name in ("q", "k", "v", "out")
        for part, shape in (
            ("weight", (256, 128) if name == "out" else (128, 256)),
            ("bias", (256,) if name == "out" else (128,)),
        )
    }
    a = attention.Attention.of(weights)
    inputs = {
        "query": normal(random, 8, prompts, 16),
        "image": normal(random, 4096, 256),
        "placed": normal(random, 4096, 256),
    }
    answers = []
    for form in (attention.taken_from_image, attention.taken_head_by_head):
        g = Graph("g")
        g.op("Identity", form(g, "query", "image", "placed", a), output="y")
        answers.append(run(g, inputs, "y", (8, prompts, 16)))
    np.testing.assert_allclose(*answers, atol=1e-4)


@pytest.mark.parametrize("prompts", [1, 7, 30])
def test_both_forms_of_the_way_back_agree(random, prompts):
    shapes = {"q": (128, 256), "k": (128, 256), "v": (128, 256), "out": (256, 128)}
    weights = {f"{n}_proj.weight": 0.1 * normal(random, *shape) for n, shape in shapes.items()}
    weights |= {f"{n}_proj.bias": normal(random, shape[0]) for n, shape in shapes.items()}
    a = attention.Attention.of(weights)
    norm = {"weight": normal(random, 256), "bias": normal(random, 256)}
    stack = (attention.STRIPS, 4096 // attention.STRIPS, 256)
    inputs = {name: normal(random, 8, prompts, 16) for name in ("key", "value")}
    inputs |= {name: normal(random, *stack) for name in ("image", "placed", "positions")}
    answers = []
    for form in (attention.image_with_prompts, attention.projected_image_with_prompts):
        g = Graph("g")
        plain, placed = form(g, "key", "value", ["image", "placed", "positions"], a, norm)
        g.op("Sub", g.add(plain, plain), placed, output="y")
        answers.append(run(g, inputs, "y", stack))
    np.testing.assert_allclose(*answers, atol=1e-3)
