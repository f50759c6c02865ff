"""Author SAM's two-way transformer: prompt tokens and image tokens learn from each other.

Model: Kirillov et al. 2023, Segment Anything, arXiv:2304.02643, appendix A.

Shapes in this module: image tokens (4096, 256), rows of the 64 x 64 grid first; prompt tokens
(T, 256), where T = 5 output tokens + N points.
"""

from __future__ import annotations

from samgis_process.weights.attention import (
    LAYER_NORM_EPS,
    STRIPS,
    WIDTH,
    Attention,
    Weights,
    are_many,
    heads,
    image_with_prompts,
    joined,
    projected_image_with_prompts,
    taken_from_image,
    taken_head_by_head,
)
from samgis_process.weights.graph import Graph, Value, under

OUTPUT_TOKENS = 5  # one for the scores, one for each mask; they come before the points


def two_way_transformer(
    g: Graph, points: Value, image: Value, positions: Value, w: Weights
) -> tuple[Value, Value]:
    """Return the output tokens (5, 256) and the image tokens after two layers of exchange.

    The prompt tokens as they came in serve as their position code; position codes are added
    to queries and keys, never to values.
    """
    x = points
    many = are_many(g, points)
    placed_image = g.add(image, positions)
    for number in range(2):
        layer = under(w, f"layers.{number}")
        x = among_prompts(g, x, points, under(layer, "self_attn"), first=number == 0)
        x = normalised(g, x, layer, "norm1")
        a = Attention.of(under(layer, "cross_attn_token_to_image"))
        x = g.add(x, prompts_from_image(g, g.add(x, points), image, placed_image, a, many))
        x = normalised(g, x, layer, "norm2")
        x = normalised(g, g.add(x, perceptron(g, x, under(layer, "mlp"))), layer, "norm3")
        image, placed_image = image_from_prompts(
            g, x, g.add(x, points), (image, placed_image, positions), layer, many
        )
    # Only the five output tokens are read from here on.
    placed = g.slice(g.add(x, points), 0, 0, OUTPUT_TOKENS)
    a = Attention.of(under(w, "final_attn_token_to_image"))
    taken = prompts_from_image(g, placed, image, placed_image, a)
    read = g.add(g.slice(x, 0, 0, OUTPUT_TOKENS), taken)
    return normalised(g, read, w, "norm_final_attn"), image


def among_prompts(g: Graph, x: Value, points: Value, w: Weights, *, first: bool) -> Value:
    """Return the prompt tokens after attention to each other.

    The first layer has neither position codes nor a residual: its input is the code.
    """
    a = Attention.of(w)
    placed = x if first else g.add(x, points)
    query = heads(g, g.linear(placed, a.q, a.q_bias), a)
    key = heads(g, g.linear(placed, a.k, a.k_bias), a)
    value = heads(g, g.linear(x, a.v, a.v_bias), a)
    scores = g.op("Softmax", g.matmul(query, g.transpose(key, (0, 2, 1))), axis=-1)
    y = g.linear(joined(g, g.matmul(scores, value), a), a.out, a.out_bias)
    return y if first else g.add(x, y)


def prompts_from_image(
    g: Graph, placed: Value, image: Value, placed_image: Value, a: Attention, many: Value = ""
) -> Value:
    """Return what the prompt tokens take from the image, (T, 256).

    Args:
        many: whether there are many prompt tokens, where that is not known before.
    """
    query = heads(g, g.linear(placed, a.q, a.q_bias), a)
    if many:
        (value,) = g.either(
            many,
            lambda inside: taken_head_by_head(inside, query, image, placed_image, a),
            lambda inside: taken_from_image(inside, query, image, placed_image, a),
        )
    else:
        value = taken_from_image(g, query, image, placed_image, a)
    value = g.add(value, a.v_bias.reshape(-1, 1, a.head))
    return g.linear(joined(g, value, a), a.out, a.out_bias)


def image_from_prompts(
    g: Graph,
    x: Value,
    placed: Value,
    images: tuple[Value, Value, Value],
    layer: Weights,
    many: Value,
) -> tuple[Value, Value]:
    """Return the image tokens after taking from the prompts, plain and placed.

    Args:
        images: image tokens, placed ones, and what places them.
    """
    a = Attention.of(under(layer, "cross_attn_image_to_token"))
    norm = under(layer, "norm4")
    key = heads(g, g.linear(placed, a.k, a.k_bias), a)
    value = heads(g, g.linear(x, a.v, a.v_bias), a)
    stacks = [g.reshape(image, (STRIPS, -1, WIDTH)) for image in images]
    plain, placed_image = g.either(
        many,
        lambda inside: projected_image_with_prompts(inside, key, value, stacks, a, norm),
        lambda inside: image_with_prompts(inside, key, value, stacks, a, norm),
    )
    return g.reshape(plain, (-1, WIDTH)), g.reshape(placed_image, (-1, WIDTH))


def perceptron(g: Graph, x: Value, w: Weights) -> Value:
    """Return the two-layer perceptron of a layer."""
    hidden = g.op("Relu", g.linear(x, w["lin1.weight"], w["lin1.bias"]))
    return g.linear(hidden, w["lin2.weight"], w["lin2.bias"])


def normalised(g: Graph, x: Value, w: Weights, name: str) -> Value:
    """Return `x` after the layer normalisation `name`."""
    return g.layer_norm(x, under(w, name), LAYER_NORM_EPS)
