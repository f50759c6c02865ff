"""Author MobileSAM's image encoder, TinyViT-5M, from the checkpoint's tensors.

Model: Wu et al. 2022, TinyViT, arXiv:2207.10666; as used by Zhang et al. 2023, MobileSAM,
arXiv:2306.14289. Batch normalisation is folded into the convolutions, GELU and attention are one
operator each, and perceptrons and rows of windows are worked on in parts that stay in the cache.

A stage works on tokens, float32 (side * side, channels), rows of the grid first; convolutions
work on maps, float32 (1, channels, side, side).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import onnx

from samgis_process.weights.graph import Array, Graph, Value, under

SIDE = 1024  # pixels along the input frame
GRID = SIDE // 16  # tokens along it
EMBEDDING = 256  # channels
HEAD = 32  # channels of one attention head
BATCH_NORM_EPS = 1e-5
LAYER_NORM_EPS = 1e-5
TOKENS_AT_ONCE = 1024  # of a perceptron: two or three megabytes
NECK_EPS = 1e-6  # of SAM's LayerNorm2d

Weights = Mapping[str, Array]


class Stage(NamedTuple):
    """A run of attention blocks: how many, with how many heads, in windows of which side.

    Attributes:
        merge_stride: of the patch merging after the stage, 0 where there is none.
    """

    blocks: int
    heads: int
    window: int
    merge_stride: int


# The last merging keeps the grid: SAM wants 64 x 64 tokens where TinyViT would have 32 x 32.
STAGES = (Stage(2, 4, 7, 2), Stage(6, 5, 14, 1), Stage(2, 10, 7, 0))


def author(tensors: Weights) -> onnx.ModelProto:
    """Return `image` float32 (1, 3, 1024, 1024) -> `tokens` float32 (4096, 256).

    `tokens.T.reshape(1, 256, 64, 64)` is what SAM calls the image embedding.
    """
    w = under(tensors, "image_encoder")
    g = Graph("encoder")
    x = patch_embedding(g, "image", under(w, "patch_embed.seq"))
    for block in range(2):
        x = inverted_bottleneck(g, x, under(w, f"layers.0.blocks.{block}"))
    x = merge(g, x, under(w, "layers.0.downsample"), stride=2)
    side = SIDE // 8
    for number, stage in enumerate(STAGES, start=1):
        layer = under(w, f"layers.{number}")
        x = to_tokens(g, x, channels(layer))
        for block in range(stage.blocks):
            x = attention_block(g, x, under(layer, f"blocks.{block}"), side, stage)
        x = to_map(g, x, channels(layer), side)
        if stage.merge_stride:
            x = merge(g, x, under(layer, "downsample"), stage.merge_stride)
            side //= stage.merge_stride
    neck(g, x, under(w, "neck"))
    return g.model(
        inputs={"image": (1, 3, SIDE, SIDE)}, outputs={"tokens": (GRID * GRID, EMBEDDING)}
    )


def patch_embedding(g: Graph, image: Value, w: Weights) -> Value:
    """Return a map of 64 channels at a quarter of the side."""
    x = gelu(g, convolution(g, image, under(w, "0"), stride=2))
    return convolution(g, x, under(w, "2"), stride=2)


def inverted_bottleneck(g: Graph, x: Value, w: Weights) -> Value:
    """Return `x` plus what a widened depthwise convolution makes of it (MBConv)."""
    y = gelu(g, convolution(g, x, under(w, "conv1")))
    y = gelu(g, convolution(g, y, under(w, "conv2")))
    return gelu(g, g.add(convolution(g, y, under(w, "conv3")), x))


def merge(g: Graph, x: Value, w: Weights, stride: int) -> Value:
    """Return a map with the next stage's channels, its side divided by `stride`."""
    x = gelu(g, convolution(g, x, under(w, "conv1")))
    x = gelu(g, convolution(g, x, under(w, "conv2"), stride))
    return convolution(g, x, under(w, "conv3"))


def attention_block(g: Graph, x: Value, w: Weights, side: int, stage: Stage) -> Value:
    """Return tokens after windowed attention, a depthwise convolution and a perceptron.

    The convolution has neither residual nor activation.
    """
    count = channels(w)
    x = window_attention(g, x, under(w, "attn"), side, stage)
    x = convolution(g, to_map(g, x, count, side), under(w, "local_conv"))
    return perceptron(g, to_tokens(g, x, count), under(w, "mlp"))


def window_attention(g: Graph, x: Value, w: Weights, side: int, stage: Stage) -> Value:
    """Return tokens plus what each takes from the others of its window, (side * side, channels).

    Windows that reach beyond the map are filled up with zeros, below here, on the right in
    each row of windows.
    """
    count, window = stage.heads * HEAD, stage.window
    down = -(-side // window)
    missing = down * window - side
    if missing:
        x = g.op("Pad", x, np.array([0, 0, missing * side, 0], np.int64))
    rows = g.reshape(x, (down, window * side, count))
    (y,) = g.in_parts([rows], lambda part, row: row_of_windows(part, row, w, side, stage))
    y = g.reshape(y, (-1, count))
    return g.slice(y, 0, 0, side * side) if missing else y


def row_of_windows(g: Graph, x: Value, w: Weights, side: int, stage: Stage) -> Value:
    """Return the attention of one row of windows; `x` (window * side, channels)."""
    window, heads = stage.window, stage.heads
    # The model pads *before* the normalisation, which makes a padded token the normalisation's
    # bias. With that bias moved into the projections it stays zero.
    norm = {"weight": w["norm.weight"], "bias": np.zeros_like(w["norm.bias"])}
    y = in_windows(g, g.layer_norm(x, norm, LAYER_NORM_EPS), side, stage)
    projected = []
    for weight, bias in projections(w, heads):
        part = g.linear(y, weight, bias + weight @ w["norm.bias"])
        projected.append(g.reshape(part, (-1, window**2, heads * HEAD)))
    places = position_bias(g, w, window)
    y = g.op("Attention", *projected, places, q_num_heads=heads, kv_num_heads=heads)
    y = out_of_windows(g, y, side, stage)
    return g.add(x, g.linear(y, w["proj.weight"], w["proj.bias"]))


def in_windows(g: Graph, x: Value, side: int, stage: Stage) -> Value:
    """Return the tokens of a row of windows window by window, filled up on the right."""
    count, window = stage.heads * HEAD, stage.window
    across = -(-side // window)
    y = g.reshape(x, (window, side, count))
    y = g.op("Pad", y, np.array([0, 0, 0, 0, across * window - side, 0], np.int64))
    y = g.transpose(g.reshape(y, (window, across, window, count)), (1, 0, 2, 3))
    return g.reshape(y, (-1, count))


def out_of_windows(g: Graph, x: Value, side: int, stage: Stage) -> Value:
    """Return the tokens of a row of windows row by row, without the filling."""
    count, window = stage.heads * HEAD, stage.window
    y = g.reshape(x, (-1, window, window, count))
    y = g.reshape(g.transpose(y, (1, 0, 2, 3)), (window, -1, count))
    return g.reshape(g.slice(y, 1, 0, side), (-1, count))


def projections(w: Weights, heads: int) -> list[tuple[Array, Array]]:
    """Return weight and bias of the projections to queries, keys and values.

    The checkpoint has them head by head: (heads, 3, HEAD, channels).
    """
    count = heads * HEAD
    weights = w["qkv.weight"].reshape(heads, 3, HEAD, count).swapaxes(0, 1)
    biases = w["qkv.bias"].reshape(heads, 3, HEAD).swapaxes(0, 1)
    return list(zip(weights.reshape(3, count, count), biases.reshape(3, count), strict=True))


def position_bias(g: Graph, w: Weights, window: int) -> Value:
    """Return what is added to the scores of a window, (heads, window^2, window^2)."""
    return g.op("Gather", w["attention_biases"], offset_index(window), axis=1)


def offset_index(window: int) -> Array:
    """Return the place of each pair's bias, int32 (window^2, window^2).

    Pairs at the same (|rows|, |columns|) apart share one; places follow first sight.
    """
    cells = list(itertools.product(range(window), repeat=2))
    places: dict[tuple[int, int], int] = {}
    index = [
        places.setdefault((abs(row - r), abs(col - c)), len(places))
        for row, col in cells
        for r, c in cells
    ]
    return np.array(index, np.int32).reshape(window**2, window**2)


def perceptron(g: Graph, x: Value, w: Weights) -> Value:
    """Return tokens plus what the two-layer perceptron of a block makes of them."""

    def layers(part: Graph, x: Value) -> Value:
        y = part.layer_norm(x, under(w, "norm"), LAYER_NORM_EPS)
        y = gelu(part, part.linear(y, w["fc1.weight"], w["fc1.bias"]))
        return part.add(x, part.linear(y, w["fc2.weight"], w["fc2.bias"]))

    count = len(w["norm.weight"])
    (y,) = g.in_parts([g.reshape(x, (-1, TOKENS_AT_ONCE, count))], layers)
    return g.reshape(y, (-1, count))


def neck(g: Graph, x: Value, w: Weights) -> Value:
    """Return `tokens`, (4096, 256), of the last stage's map; SAM's neck, without biases."""
    y = to_tokens(g, x, w["0.weight"].shape[1])
    y = g.matmul(y, w["0.weight"][:, :, 0, 0].T)
    y = to_map(g, g.layer_norm(y, under(w, "1"), NECK_EPS), EMBEDDING, GRID)
    y = g.op("Conv", y, w["2.weight"], kernel_shape=[3, 3], pads=[1] * 4)
    y = g.layer_norm(to_tokens(g, y, EMBEDDING), under(w, "3"), NECK_EPS)
    return g.op("Identity", y, output="tokens")


def convolution(g: Graph, x: Value, w: Weights, stride: int = 1) -> Value:
    """Return convolution and batch normalisation in one; depthwise where the kernel is so."""
    kernel, scale = w["c.weight"], w["bn.weight"] / np.sqrt(w["bn.running_var"] + BATCH_NORM_EPS)
    side = kernel.shape[-1]
    return g.op(
        "Conv",
        x,
        kernel * scale[:, None, None, None],
        w["bn.bias"] - w["bn.running_mean"] * scale,
        kernel_shape=[side, side],
        strides=[stride, stride],
        pads=[side // 2] * 4,
        group=kernel.shape[0] if kernel.shape[1] == 1 else 1,
    )


def gelu(g: Graph, x: Value) -> Value:
    """Return GELU by the error function; the tanh form changes masks visibly."""
    return g.op("Gelu", x)


def channels(w: Weights) -> int:
    """Return the channels of a stage or block."""
    return next(len(tensor) for name, tensor in w.items() if name.endswith("attn.norm.weight"))


def to_tokens(g: Graph, x: Value, count: int) -> Value:
    """Return a map as tokens."""
    return g.reshape(g.transpose(x, (0, 2, 3, 1)), (-1, count))


def to_map(g: Graph, x: Value, count: int, side: int) -> Value:
    """Return tokens as a map."""
    return g.transpose(g.reshape(x, (1, side, side, count)), (0, 3, 1, 2))
