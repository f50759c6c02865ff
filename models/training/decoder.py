"""SAM's prompt encoder and mask decoder in PyTorch, as functions of the checkpoint's tensors.

Model: Kirillov et al. 2023, Segment Anything, arXiv:2304.02643, appendix A. The image side's
projections are folded into the few prompt tokens, as in `samgis_process/weights/transformer.py`;
that is exact, needs less memory, and halves the time of a training step on a CPU.

Shapes: image tokens (B, 4096, 256), prompt tokens (B, T, 256) with T = 5 output tokens + N points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as nn

FRAME = 1024  # pixels along the input frame
GRID = 64  # image tokens along it
LOW_RES = 256  # cells along a mask
HEADS = 8
MASKS = 4  # the single reading, then whole, part, subpart
OUTPUT_TOKENS = 1 + MASKS
LAYER_NORM_EPS = 1e-5
LAYER_NORM_2D_EPS = 1e-6

Weights = Mapping[str, Tensor]


def under(w: Weights, prefix: str) -> dict[str, Tensor]:
    """Return the tensors below `prefix`, named from there."""
    start = prefix + "."
    return {name[len(start) :]: tensor for name, tensor in w.items() if name.startswith(start)}


def decode(
    w: Weights, tokens: Tensor, coords: Tensor, labels: Tensor, earlier: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return logits (B, 4, 256, 256) and predicted IoU (B, 4) of B prompt sets.

    Args:
        w: the checkpoint's tensors, at least those of `prompt_encoder` and `mask_decoder`.
        tokens: embeddings (B, 4096, 256).
        coords: (B, N, 2), x and y in the input frame, counted from pixel centres.
        labels: (B, N): 1 include, 0 exclude, 2 and 3 corners of a box, -1 padding.
        earlier: logits (B, 256, 256) of the answer before the last prompt, or None.
    """
    prompt, decoder = under(w, "prompt_encoder"), under(w, "mask_decoder")
    image = tokens + mask_embedding(prompt, earlier)
    output_tokens = torch.cat([decoder["iou_token.weight"], decoder["mask_tokens.weight"]])
    points = point_tokens(prompt, coords, labels)
    points = torch.cat([output_tokens.expand(len(points), -1, -1), points], dim=1)
    positions = grid_positions(prompt)
    read, image = two_way_transformer(points, image, positions, under(decoder, "transformer"))
    iou = perceptron3(read[:, 0], under(decoder, "iou_prediction_head"))
    heads = under(decoder, "output_hypernetworks_mlps")
    kernels = [perceptron3(read[:, 1 + mask], under(heads, str(mask))) for mask in range(MASKS)]
    low_res = masks(torch.stack(kernels, 1), image, under(decoder, "output_upscaling"))
    return low_res, iou


def position_code(places: Tensor, w: Weights) -> Tensor:
    """Return the random Fourier features (..., 256) of places (..., 2) in 0..1."""
    matrix = 2 * math.pi * w["pe_layer.positional_encoding_gaussian_matrix"]
    angles = (2 * places - 1) @ matrix
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def grid_positions(w: Weights) -> Tensor:
    """Return the position codes of the grid's cells, (4096, 256)."""
    device = w["no_mask_embed.weight"].device
    centres = (torch.arange(GRID, device=device, dtype=torch.float32) + 0.5) / GRID
    rows, cols = torch.meshgrid(centres, centres, indexing="ij")
    return position_code(torch.stack([cols, rows], dim=-1).reshape(-1, 2), w)


def point_tokens(w: Weights, coords: Tensor, labels: Tensor) -> Tensor:
    """Return one token a point, (B, N, 256); padding has no position."""
    code = position_code((coords + 0.5) / FRAME, w) * (labels >= 0)[..., None]
    kinds = [w["not_a_point_embed.weight"]]
    kinds += [w[f"point_embeddings.{kind}.weight"] for kind in range(4)]
    return code + torch.cat(kinds)[labels.long() + 1]


def mask_embedding(w: Weights, earlier: Tensor | None) -> Tensor:
    """Return what is added to the image tokens: (1, 256) without, (B, 4096, 256) with a mask."""
    if earlier is None:
        return w["no_mask_embed.weight"]
    w = under(w, "mask_downscaling")
    y = earlier[:, None]
    for conv, norm in (("0", "1"), ("3", "4")):
        y = nn.conv2d(y, w[f"{conv}.weight"], w[f"{conv}.bias"], stride=2).movedim(1, -1)
        y = nn.gelu(layer_norm(y, w, norm, LAYER_NORM_2D_EPS)).movedim(-1, 1)
    return nn.conv2d(y, w["6.weight"], w["6.bias"]).flatten(2).transpose(1, 2)


def two_way_transformer(
    points: Tensor, image: Tensor, positions: Tensor, w: Weights
) -> tuple[Tensor, Tensor]:
    """Return the output tokens (B, 5, 256) and the image tokens after two layers of exchange."""
    x = points
    for number in range(2):
        layer = under(w, f"layers.{number}")
        placed_image = image + positions
        x = among_prompts(x, points, under(layer, "self_attn"), first=number == 0)
        x = layer_norm(x, layer, "norm1")
        attention = under(layer, "cross_attn_token_to_image")
        x = x + prompts_from_image(x + points, image, placed_image, attention)
        x = layer_norm(x, layer, "norm2")
        x = layer_norm(x + perceptron2(x, under(layer, "mlp")), layer, "norm3")
        attention = under(layer, "cross_attn_image_to_token")
        image = image + image_from_prompts(placed_image, x + points, x, attention)
        image = layer_norm(image, layer, "norm4")
    placed = (x + points)[:, :OUTPUT_TOKENS]
    attention = under(w, "final_attn_token_to_image")
    taken = prompts_from_image(placed, image, image + positions, attention)
    return layer_norm(x[:, :OUTPUT_TOKENS] + taken, w, "norm_final_attn"), image


def among_prompts(x: Tensor, points: Tensor, w: Weights, *, first: bool) -> Tensor:
    """Return the prompt tokens after attention to each other; no code, no residual at first."""
    placed = x if first else x + points
    query, key, value = (
        heads(linear(y, w, f"{name}_proj")) for name, y in (("q", placed), ("k", placed), ("v", x))
    )
    y = linear(joined(nn.scaled_dot_product_attention(query, key, value)), w, "out_proj")
    return y if first else x + y


def prompts_from_image(placed: Tensor, image: Tensor, placed_image: Tensor, w: Weights) -> Tensor:
    """Return what the prompt tokens take from the image, (B, T, 256)."""
    query = heads(linear(placed, w, "q_proj"))
    b, _, t, head = query.shape
    key, value = (w[f"{name}_proj.weight"].unflatten(0, (HEADS, head)) for name in ("k", "v"))
    folded = (query * head**-0.5 @ key).flatten(1, 2)
    # The key's bias shifts all scores of a row alike, so the softmax does not see it.
    scores = (folded @ placed_image.transpose(1, 2)).softmax(-1)
    mixed = (scores @ image).unflatten(1, (HEADS, t))
    taken = mixed @ value.transpose(1, 2) + w["v_proj.bias"].view(HEADS, 1, head)
    return linear(joined(taken.expand(b, -1, -1, -1)), w, "out_proj")


def image_from_prompts(placed_image: Tensor, placed: Tensor, x: Tensor, w: Weights) -> Tensor:
    """Return what the image tokens take from the prompt tokens, (B, 4096, 256)."""
    key = heads(linear(placed, w, "k_proj"))
    head = key.shape[-1]
    key = key * head**-0.5
    folded = key @ w["q_proj.weight"].unflatten(0, (HEADS, head))
    shift = key @ w["q_proj.bias"].view(HEADS, head, 1)
    value = heads(linear(x, w, "v_proj"))
    rows = value @ w["out_proj.weight"].T.unflatten(0, (HEADS, head))
    scores = folded.flatten(1, 2) @ placed_image.transpose(1, 2) + shift.flatten(1, 2)
    weights = scores.unflatten(1, (HEADS, -1)).softmax(2).flatten(1, 2)
    return weights.transpose(1, 2) @ rows.flatten(1, 2) + w["out_proj.bias"]


def masks(kernels: Tensor, image: Tensor, w: Weights) -> Tensor:
    """Return logits (B, 4, 256, 256) of kernels (B, 4, 32) and the image tokens.

    A transposed convolution as wide as its stride is a matrix product with four times the
    columns; the order of rows is restored at the end.
    """
    y = spread(image, w["0.weight"], w["0.bias"])
    y = nn.gelu(layer_norm(y, w, "1", LAYER_NORM_2D_EPS))
    y = nn.gelu(spread(y, w["3.weight"], w["3.bias"]))
    y = kernels @ y.transpose(1, 2)
    y = y.view(-1, MASKS, GRID, GRID, 2, 2, 2, 2).permute(0, 1, 2, 4, 6, 3, 5, 7)
    return y.reshape(-1, MASKS, LOW_RES, LOW_RES)


def spread(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return four rows for each row of `x`; `kernel` (inputs, outputs, 2, 2)."""
    weight = kernel.permute(0, 2, 3, 1).flatten(1)
    return (x @ weight + bias.repeat(4)).reshape(len(x), -1, kernel.shape[1])


def perceptron2(x: Tensor, w: Weights) -> Tensor:
    """Return the two-layer perceptron of a transformer layer."""
    return linear(linear(x, w, "lin1").relu(), w, "lin2")


def perceptron3(x: Tensor, w: Weights) -> Tensor:
    """Return a three-layer perceptron, the shape of all heads of the decoder."""
    for number in range(2):
        x = linear(x, w, f"layers.{number}").relu()
    return linear(x, w, "layers.2")


def linear(x: Tensor, w: Weights, name: str) -> Tensor:
    """Return `x` after the layer `name`."""
    return nn.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])


def layer_norm(x: Tensor, w: Weights, name: str, eps: float = LAYER_NORM_EPS) -> Tensor:
    """Return `x` normalised along its last axis."""
    return nn.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], eps)


def heads(x: Tensor) -> Tensor:
    """Return (B, T, 8 * head) as (B, 8, T, head)."""
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)


def joined(x: Tensor) -> Tensor:
    """Return (B, 8, T, head) as (B, T, 8 * head)."""
    return x.transpose(1, 2).flatten(2)
