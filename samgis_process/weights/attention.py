"""SAM's attention between prompt tokens and image tokens, in two exact forms.

The 4096 image tokens are many. Where the prompt tokens are few, the projections of the image side
are folded into the prompt side:

    score = (X Wk) . q = X . (q Wk^T)         sum(a * (X Wv)) = (a X) Wv

That leaves matrix products with 8 rows a prompt token. Where they are many, projecting the image
tokens once costs less. Both forms leave no large array behind: the image goes in strips or the
attention head by head, so that a thousand prompts need little memory.

Shapes in this module: image tokens (4096, 256), rows of the 64 x 64 grid first, or such in strips,
(4, 1024, 256); prompt tokens (T, 256); their queries, keys and values (8, T, head).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from samgis_process.weights.graph import Array, Graph, Value

CELLS = 64 * 64  # image tokens
WIDTH = 256  # channels of a token
# Parts in which image tokens are worked on, a megabyte each. Eight are better for one thread, two
# for many threads, which share the work on each part.
STRIPS = 4
HEADS = 8
LAYER_NORM_EPS = 1e-5
FOLDED_TOKENS = 18  # prompt tokens up to which folding is faster, measured

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
        """Return the projections in `w`, queries scaled for the softmax."""
        names = (f"{p}_proj.{part}" for p in ("q", "k", "v", "out") for part in ("weight", "bias"))
        read = cls(*(w[name] for name in names))
        scale = np.float32(read.head**-0.5)
        return read._replace(q=read.q * scale, q_bias=read.q_bias * scale)

    @property
    def head(self) -> int:
        """Channels of one head: 32 among prompts, 16 across."""
        return len(self.q) // HEADS


def are_many(g: Graph, prompts: Value) -> Value:
    """Return whether there are too many prompt tokens for the folded form."""
    count = g.op("Gather", g.op("Shape", prompts), np.array(0))
    return g.op("Greater", count, np.array(FOLDED_TOKENS))


# Prompts look at the image


def taken_from_image(
    g: Graph, query: Value, image: Value, placed_image: Value, a: Attention
) -> Value:
    """Return the values that prompt tokens take from the image, (8, T, head); folded.

    The key's bias shifts all scores of a row alike, so the softmax does not see it.
    """
    folded = g.matmul(query, by_head(g, a.k, a))
    scores = g.gemm(g.reshape(folded, (-1, WIDTH)), placed_image, turn_b=True)
    mixed = g.reshape(g.gemm(g.op("Softmax", scores, axis=-1), image), (HEADS, -1, WIDTH))
    return g.matmul(mixed, g.transpose(by_head(g, a.v, a), (0, 2, 1)))


def taken_head_by_head(
    g: Graph, query: Value, image: Value, placed_image: Value, a: Attention
) -> Value:
    """Return the same from projected image tokens."""

    def one_head(part: Graph, query: Value, key: Value, value: Value) -> Value:
        scores = part.op("Softmax", part.matmul(query, key), axis=-1)
        return part.matmul(scores, part.transpose(value, (1, 0)))

    key, value = (
        g.reshape(g.gemm(weight, x, turn_b=True), (HEADS, a.head, CELLS))
        for weight, x in ((a.k, placed_image), (a.v, image))
    )
    (taken,) = g.in_parts([query, key, value], one_head)
    return taken


# The image looks at the prompts


def image_with_prompts(
    g: Graph, key: Value, value: Value, stacks: list[Value], a: Attention, norm: Weights
) -> tuple[Value, Value]:
    """Return image tokens after taking from the prompts, plain and placed, in strips; folded.

    Args:
        stacks: image tokens, placed ones, and what places them, in strips.
        norm: the normalisation afterwards.
    """
    folded = g.reshape(g.matmul(key, by_head(g, a.q, a)), (-1, WIDTH))
    shift = g.reshape(g.matmul(key, a.q_bias.reshape(HEADS, a.head, 1)), (-1, 1))
    rows = g.matmul(value, by_head(g, a.out.T, a))
    # A head's weights add up to 1, so an eighth of the output's bias rides in each row.
    rows = g.reshape(g.add(rows, a.out_bias / HEADS), (-1, WIDTH))

    def strip(part: Graph, image: Value, placed: Value, positions: Value) -> tuple[Value, Value]:
        scores = part.gemm(folded, placed, shift, turn_b=True)
        scores = part.reshape(scores, (HEADS, -1, CELLS // STRIPS))
        scores = part.reshape(softmax_over_prompts(part, scores), (-1, CELLS // STRIPS))
        return finished(part, part.gemm(scores, rows, image, turn_a=True), positions, norm)

    image, placed = g.in_parts(stacks, strip)
    return image, placed


def projected_image_with_prompts(
    g: Graph, key: Value, value: Value, stacks: list[Value], a: Attention, norm: Weights
) -> tuple[Value, Value]:
    """Return the same from projected image tokens."""
    turned = g.transpose(value, (0, 2, 1))

    def strip(part: Graph, image: Value, placed: Value, positions: Value) -> tuple[Value, Value]:
        query = part.gemm(a.q, placed, a.q_bias[:, None], turn_b=True)
        query = part.reshape(query, (HEADS, a.head, CELLS // STRIPS))
        scores = softmax_over_prompts(part, part.matmul(key, query))
        mixed = part.reshape(part.matmul(turned, scores), (HEADS * a.head, CELLS // STRIPS))
        y = part.add(part.gemm(mixed, a.out.T, image, turn_a=True), a.out_bias)
        return finished(part, y, positions, norm)

    image, placed = g.in_parts(stacks, strip)
    return image, placed


def finished(g: Graph, x: Value, positions: Value, norm: Weights) -> tuple[Value, Value]:
    """Return image tokens normalised, plain and placed."""
    y = g.layer_norm(x, norm, LAYER_NORM_EPS)
    return y, g.add(y, positions)


def softmax_over_prompts(g: Graph, scores: Value) -> Value:
    """Return the softmax over a head's prompt tokens of scores (8, T, cells).

    Written out, because the operator would run along the short axis; here the work runs along
    the cells, which lie side by side in memory.
    """
    axis = np.array([1])
    y = g.op("Exp", g.op("Sub", scores, g.op("ReduceMax", scores, axis, keepdims=1)))
    return g.op("Div", y, g.op("ReduceSum", y, axis, keepdims=1))


# Heads


def heads(g: Graph, x: Value, a: Attention) -> Value:
    """Return (T, 8 * head) as (8, T, head)."""
    return g.transpose(g.reshape(x, (-1, HEADS, a.head)), (1, 0, 2))


def joined(g: Graph, x: Value, a: Attention) -> Value:
    """Return (8, T, head) as (T, 8 * head)."""
    return g.reshape(g.transpose(x, (1, 0, 2)), (-1, HEADS * a.head))


def by_head(g: Graph, weight: Array, a: Attention) -> Value:
    """Return a weight (8 * head, 256) as (8, head, 256); worked out when loaded."""
    return g.reshape(g.constant(weight), (HEADS, a.head, WIDTH))
