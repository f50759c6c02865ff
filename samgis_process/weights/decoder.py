"""Author SAM's prompt encoder and mask decoder as one graph, from the checkpoint's tensors.

Model: Kirillov et al. 2023, Segment Anything, arXiv:2304.02643, appendix A. One prompt set a
run; all four masks on the 256 grid, scaling them up is left to the caller.

Shapes in this module: image tokens (4096, 256), rows of the 64 x 64 grid first; point tokens
(N, 256).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto

from samgis_process.weights.attention import CELLS, STRIPS, WIDTH
from samgis_process.weights.graph import Array, Graph, Operand, Value, under
from samgis_process.weights.transformer import two_way_transformer

FRAME = 1024  # pixels along the input frame
GRID = 64  # image tokens along it
MASKS = 4  # the single reading, then whole, part, subpart
LOW_RES = 4 * GRID  # cells along a mask
LAYER_NORM_2D_EPS = 1e-6

Weights = Mapping[str, Array]


def author(tensors: Weights) -> onnx.ModelProto:
    """Return the decoder.

    Inputs, float32: `tokens` (4096, 256) as the encoder gives them; `point_coords` (1, N, 2),
    x and y in the input frame; `point_labels` (1, N): 1 include, 0 exclude, 2 and 3 corners of
    a box, -1 padding; `mask_input` (1, 1, 256, 256), logits, looked at only where
    `has_mask_input` (1) is 1. Outputs: `low_res_masks` (1, 4, 256, 256), logits;
    `iou_predictions` (1, 4).
    """
    g = Graph("decoder")
    prompt, decoder = under(tensors, "prompt_encoder"), under(tensors, "mask_decoder")
    image = g.add("tokens", mask_embedding(g, prompt))
    output_tokens = np.concatenate([decoder["iou_token.weight"], decoder["mask_tokens.weight"]])
    points = g.op("Concat", output_tokens, point_tokens(g, prompt), axis=0)
    positions = grid_positions(g, prompt)
    read, image = two_way_transformer(g, points, image, positions, under(decoder, "transformer"))
    predicted_iou(g, read, under(decoder, "iou_prediction_head"))
    kernels = mask_kernels(g, read, under(decoder, "output_hypernetworks_mlps"))
    masks(g, kernels, image, under(decoder, "output_upscaling"))
    return g.model(
        inputs={
            "tokens": (CELLS, WIDTH),
            "point_coords": (1, "N", 2),
            "point_labels": (1, "N"),
            "mask_input": (1, 1, LOW_RES, LOW_RES),
            "has_mask_input": (1,),
        },
        outputs={"low_res_masks": (1, MASKS, LOW_RES, LOW_RES), "iou_predictions": (1, MASKS)},
    )


# Prompts


def position_code(g: Graph, places: Operand, w: Weights) -> Value:
    """Return the random Fourier features of places in 0..1: (rows, 2) -> (rows, 256)."""
    matrix = 2 * np.pi * w["pe_layer.positional_encoding_gaussian_matrix"]
    centred = g.op("Sub", g.op("Mul", places, np.float32(2)), np.float32(1))
    angles = g.matmul(centred, matrix)
    return g.op("Concat", g.op("Sin", angles), g.op("Cos", angles), axis=-1)


def grid_positions(g: Graph, w: Weights) -> Value:
    """Return the position codes of the grid's cells, (4096, 256); folded when loaded."""
    centres = (np.arange(GRID) + 0.5) / GRID
    columns, rows = np.meshgrid(centres, centres)
    return position_code(g, np.stack([columns, rows], axis=-1).reshape(CELLS, 2), w)


def point_tokens(g: Graph, w: Weights) -> Value:
    """Return one token a point, (N, 256): its position code plus what its label stands for.

    Coordinates count from pixel centres, hence + 0.5; padding has no position.
    """
    places = g.op("Squeeze", "point_coords", np.array([0]))
    places = g.op("Div", g.add(places, np.float32(0.5)), np.float32(FRAME))
    label = g.op("Squeeze", "point_labels", np.array([0]))
    real = g.op("GreaterOrEqual", label, np.float32(0))
    weight = g.op("Unsqueeze", g.op("Cast", real, to=TensorProto.FLOAT), np.array([1]))
    kinds = [w["not_a_point_embed.weight"]]  # label -1, then exclude, include and two corners
    kinds += [w[f"point_embeddings.{kind}.weight"] for kind in range(4)]
    kind = g.add(g.op("Cast", label, to=TensorProto.INT64), np.array(1))
    meaning = g.op("Gather", np.concatenate(kinds), kind, axis=0)
    return g.add(g.op("Mul", position_code(g, places, w), weight), meaning)


def mask_embedding(g: Graph, w: Weights) -> Value:
    """Return what is added to the image tokens: the mask's embedding, or that of no mask."""
    asked = g.op("Greater", g.op("Squeeze", "has_mask_input", np.array([0])), np.float32(0.5))
    (embedding,) = g.either(
        asked,
        lambda given: downscaled_mask(given, under(w, "mask_downscaling")),
        lambda absent: absent.op("Identity", w["no_mask_embed.weight"]),
    )
    return embedding


def downscaled_mask(g: Graph, w: Weights) -> Value:
    """Return the embedding of `mask_input`, (4096, 256): two strided convolutions, then 1 x 1."""
    y = "mask_input"
    for conv, norm in (("0", "1"), ("3", "4")):
        kernel, bias = w[f"{conv}.weight"], w[f"{conv}.bias"]
        y = g.op("Conv", y, kernel, bias, kernel_shape=[2, 2], strides=[2, 2])
        y = g.transpose(y, (0, 2, 3, 1))
        y = g.op("Gelu", g.layer_norm(y, under(w, norm), LAYER_NORM_2D_EPS))
        y = g.transpose(y, (0, 3, 1, 2))
    weight = w["6.weight"].reshape(WIDTH, -1)
    y = g.reshape(g.transpose(y, (0, 2, 3, 1)), (CELLS, weight.shape[1]))
    return g.linear(y, weight, w["6.bias"])


# Masks and their scores


def predicted_iou(g: Graph, read: Value, w: Weights) -> Value:
    """Return `iou_predictions`, (1, 4), from the first output token."""
    y = g.slice(read, 0, 0, 1)
    for number in range(3):
        y = g.linear(y, w[f"layers.{number}.weight"], w[f"layers.{number}.bias"])
        if number < 2:
            y = g.op("Relu", y)
    return g.op("Identity", y, output="iou_predictions")


def mask_kernels(g: Graph, read: Value, w: Weights) -> Value:
    """Return what each mask multiplies the upscaled image with, (4, 32).

    Each of the four has a perceptron of its own; they run side by side.
    """
    y = g.reshape(g.slice(read, 0, 1, 1 + MASKS), (MASKS, 1, WIDTH))
    for number in range(3):
        layers = [under(w, f"{mask}.layers.{number}") for mask in range(MASKS)]
        weight = np.stack([layer["weight"].T for layer in layers])
        bias = np.stack([layer["bias"] for layer in layers])[:, None]
        y = g.add(g.matmul(y, weight), bias)
        if number < 2:
            y = g.op("Relu", y)
    return g.reshape(y, (MASKS, -1))


def masks(g: Graph, kernels: Value, image: Value, w: Weights) -> Value:
    """Return `low_res_masks`, (1, 4, 256, 256), of kernels (4, 32) and image tokens.

    A part is some rows of the grid; its cells come out as (row, column, sub-row, sub-column,
    sub-sub-row, sub-sub-column) and are put in order at the end.
    """
    rows = GRID // STRIPS

    def strip(part: Graph, tokens: Value) -> Value:
        return part.gemm(kernels, upscaled(part, tokens, w), turn_b=True)

    (y,) = g.in_parts([g.reshape(image, (STRIPS, -1, WIDTH))], strip)
    y = g.reshape(y, (STRIPS, MASKS, rows, GRID, 2, 2, 2, 2))
    y = g.transpose(y, (1, 0, 2, 4, 6, 3, 5, 7))
    y = g.reshape(y, (1, MASKS, LOW_RES, LOW_RES))
    return g.op("Identity", y, output="low_res_masks")


def upscaled(g: Graph, image: Value, w: Weights) -> Value:
    """Return image tokens (cells, 256) at four times the side, (16 cells, 32).

    A transposed convolution with a stride as wide as its kernel is a matrix product whose
    columns are (sub-row, sub-column, channel).
    """
    y = spread(g, image, w["0.weight"], w["0.bias"])
    y = g.op("Gelu", g.layer_norm(y, under(w, "1"), LAYER_NORM_2D_EPS))
    return g.op("Gelu", spread(g, y, w["3.weight"], w["3.bias"]))


def spread(g: Graph, x: Value, kernel: Array, bias: Array) -> Value:
    """Return four rows for each row of `x`; `kernel` (inputs, outputs, 2, 2)."""
    weight = kernel.transpose(0, 2, 3, 1).reshape(kernel.shape[0], -1)
    return g.reshape(g.gemm(x, weight, np.tile(bias, 4)), (-1, kernel.shape[1]))
