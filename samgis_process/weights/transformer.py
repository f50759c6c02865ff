"""Author SAM's two-way transformer: prompt tokens and image tokens learn from each other.

Model: Kirillov et al. 2023, Segment Anything, arXiv:2304.02643, appendix A. The 4096 image
tokens are many and the prompt tokens few, so the projections of the image side are folded into
the prompt side, which is exact:

    score = (X Wk) . q = X . (q Wk^T)         sum(a * (X Wv)) = (a X) Wv

That leaves matrix products with 8 rows a prompt token, and the decoder needs 0.4 of the usual
time at common prompt counts (as long at some 40 points, more beyond).

Shapes in this module: image tokens (4096, 256), rows of the 64 x 64 grid first; prompt tokens
(T, 256), where T = 5 output tokens + N points.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from samgis_process.weights.graph import Array, Graph, Value, under

CELLS = 64 * 64  # image tokens
WIDTH = 256  # channels of a token
HEADS = 8
OUTPUT_TOKENS = 5  # one for the scores, one for each mask; they come before the points
LAYER_NORM_EPS = 1e-5

Weights = Mapping[str, Array]


class Attention(NamedTuple):
    """Projections of one attention: weights (outputs, inputs) and biases, as in PyTorch."""

    q: Array
    q_bias: Array
    k: Array
    k_bias: Array
    v: Array
    v_bias: Array
    out: Array
    out_bias: Array

    @classmethod
    def of(cls, w: Weights) -> Attention:
        """Return the projections in `w`."""
        names = (f"{p}_proj.{part}" for p in ("q", "k", "v", "out") for part in ("weight", "bias"))
        return cls(*(w[name] for name in names))

    @property
    def head(self) -> int:
        """Channels of one head: 32 among prompts, 16 across."""
        return len(self.q) // HEADS

    @property
    def scale(self) -> float:
        """What scores are multiplied with."""
        return float(self.head**-0.5)


def two_way_transformer(
    g: Graph, points: Value, image: Value, positions: Value, w: Weights
) -> tuple[Value, Value]:
    """Return the output tokens (5, 256) and the image tokens after two layers of exchange.

    The prompt tokens as they came in serve as their position code; position codes are added
    to queries and keys, never to values.
    """
    x = points
    for number in range(2):
        layer = under(w, f"layers.{number}")
        placed_image = g.add(image, positions)
        x = among_prompts(g, x, points, under(layer, "self_attn"), first=number == 0)
        x = normalised(g, x, layer, "norm1")
        attention = Attention.of(under(layer, "cross_attn_token_to_image"))
        x = g.add(x, prompts_from_image(g, g.add(x, points), image, placed_image, attention))
        x = normalised(g, x, layer, "norm2")
        x = normalised(g, g.add(x, perceptron(g, x, under(layer, "mlp"))), layer, "norm3")
        attention = Attention.of(under(layer, "cross_attn_image_to_token"))
        image = image_from_prompts(g, image, placed_image, g.add(x, points), x, attention)
        image = normalised(g, image, layer, "norm4")
    # Only the five output tokens are read from here on.
    placed = g.slice(g.add(x, points), 0, 0, OUTPUT_TOKENS)
    attention = Attention.of(under(w, "final_attn_token_to_image"))
    taken = prompts_from_image(g, placed, image, g.add(image, positions), attention)
    read = g.add(g.slice(x, 0, 0, OUTPUT_TOKENS), taken)
    return normalised(g, read, w, "norm_final_attn"), image


def among_prompts(g: Graph, x: Value, points: Value, w: Weights, *, first: bool) -> Value:
    """Return the prompt tokens after attention to each other.

    The first layer has neither position codes nor a residual: its input is the code.
    """
    a = Attention.of(w)
    placed = x if first else g.add(x, points)
    query = heads(g, g.linear(placed, a.q * a.scale, a.q_bias * a.scale), a)
    key = heads(g, g.linear(placed, a.k, a.k_bias), a)
    value = heads(g, g.linear(x, a.v, a.v_bias), a)
    scores = g.op("Softmax", g.matmul(query, g.transpose(key, (0, 2, 1))), axis=-1)
    y = g.linear(joined(g, g.matmul(scores, value), a), a.out, a.out_bias)
    return y if first else g.add(x, y)


def prompts_from_image(
    g: Graph, placed: Value, image: Value, placed_image: Value, a: Attention
) -> Value:
    """Return what the prompt tokens take from the image, (T, 256).

    The key's bias shifts all scores of a row alike, so the softmax does not see it.
    """
    query = heads(g, g.linear(placed, a.q * a.scale, a.q_bias * a.scale), a)
    folded = g.reshape(g.matmul(query, a.k.reshape(HEADS, a.head, WIDTH)), (-1, WIDTH))
    scores = g.op("Softmax", g.gemm(folded, placed_image, turn_b=True), axis=-1)
    mixed = g.reshape(g.gemm(scores, image), (HEADS, -1, WIDTH))
    value = g.matmul(mixed, a.v.reshape(HEADS, a.head, WIDTH).transpose(0, 2, 1))
    value = g.add(value, a.v_bias.reshape(HEADS, 1, a.head))
    return g.linear(joined(g, value, a), a.out, a.out_bias)


def image_from_prompts(
    g: Graph, image: Value, placed_image: Value, placed: Value, x: Value, a: Attention
) -> Value:
    """Return the image tokens plus what they take from the prompts, (4096, 256).

    A head's weights add up to 1, so an eighth of the output's bias rides in each value row.
    """
    key = heads(g, g.linear(placed, a.k * a.scale, a.k_bias * a.scale), a)
    folded = g.reshape(g.matmul(key, a.q.reshape(HEADS, a.head, WIDTH)), (-1, WIDTH))
    shift = g.reshape(g.matmul(key, a.q_bias.reshape(HEADS, a.head, 1)), (-1, 1))
    value = heads(g, g.linear(x, a.v, a.v_bias), a)
    rows = g.matmul(value, a.out.T.reshape(HEADS, a.head, WIDTH))
    rows = g.reshape(g.add(rows, a.out_bias / HEADS), (-1, WIDTH))
    scores = g.gemm(folded, placed_image, shift, turn_b=True)
    return g.gemm(softmax_over_prompts(g, scores), rows, image, turn_a=True)


def softmax_over_prompts(g: Graph, scores: Value) -> Value:
    """Return the softmax over a head's prompt tokens of scores (8 T, 4096).

    Written out, because the operator would run along the short axis; here the work runs along
    the cells, which lie side by side in memory.
    """
    y = g.reshape(scores, (HEADS, -1, CELLS))
    axis = np.array([1])
    y = g.op("Exp", g.op("Sub", y, g.op("ReduceMax", y, axis, keepdims=1)))
    y = g.op("Div", y, g.op("ReduceSum", y, axis, keepdims=1))
    return g.reshape(y, (-1, CELLS))


def perceptron(g: Graph, x: Value, w: Weights) -> Value:
    """Return the two-layer perceptron of a layer."""
    hidden = g.op("Relu", g.linear(x, w["lin1.weight"], w["lin1.bias"]))
    return g.linear(hidden, w["lin2.weight"], w["lin2.bias"])


def heads(g: Graph, x: Value, a: Attention) -> Value:
    """Return (T, 8 * head) as (8, T, head)."""
    return g.transpose(g.reshape(x, (-1, HEADS, a.head)), (1, 0, 2))


def joined(g: Graph, x: Value, a: Attention) -> Value:
    """Return (8, T, head) as (T, 8 * head)."""
    return g.reshape(g.transpose(x, (1, 0, 2)), (-1, HEADS * a.head))


def normalised(g: Graph, x: Value, w: Weights, name: str) -> Value:
    """Return `x` after the layer normalisation `name`."""
    return g.layer_norm(x, under(w, name), LAYER_NORM_EPS)
