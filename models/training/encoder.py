"""MobileSAM's image encoder, TinyViT-5M, in PyTorch, as functions of the checkpoint's tensors.

Model: Wu et al. 2022, TinyViT, arXiv:2207.10666; as used by Zhang et al. 2023, MobileSAM,
arXiv:2306.14289. It stays as it is, so batch normalisation is folded into the convolutions.
A stage works on tokens (B, side, side, channels); convolutions on maps (B, channels, side, side).
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as nn

from models.training.decoder import Weights, layer_norm, linear, under

SIDE = 1024  # pixels along the input frame
HEAD = 32  # channels of one attention head
BATCH_NORM_EPS = 1e-5
NECK_EPS = 1e-6
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)


class Stage(NamedTuple):
    """A run of attention blocks; `merge_stride` is that of the merging after it, 0 for none."""

    blocks: int
    heads: int
    window: int
    merge_stride: int


STAGES = (Stage(2, 4, 7, 2), Stage(6, 5, 14, 1), Stage(2, 10, 7, 0))


def frame(image: np.ndarray) -> np.ndarray:
    """Return an RGB picture as the encoder sees it, float32 (3, 1024, 1024)."""
    width, height = framed_size(*image.shape[:2])
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    result = np.zeros((3, SIDE, SIDE), np.float32)
    pixels = (np.asarray(resized, np.float32) - MEAN) / STD
    result[:, :height, :width] = pixels.transpose(2, 0, 1)
    return result


def framed_size(rows: int, cols: int) -> tuple[int, int]:
    """Return (width, height) of a picture inside the input frame, rounded half up."""
    scale = SIDE / max(rows, cols)
    return max(1, int(cols * scale + 0.5)), max(1, int(rows * scale + 0.5))


@torch.inference_mode()
def encode(w: Weights, frames: Tensor) -> Tensor:
    """Return embeddings (B, 4096, 256) of frames (B, 3, 1024, 1024)."""
    w = under(w, "image_encoder")
    x = nn.gelu(convolution(frames, under(w, "patch_embed.seq.0"), stride=2))
    x = convolution(x, under(w, "patch_embed.seq.2"), stride=2)
    for block in range(2):
        x = inverted_bottleneck(x, under(w, f"layers.0.blocks.{block}"))
    x = merge(x, under(w, "layers.0.downsample"), stride=2)
    for number, stage in enumerate(STAGES, start=1):
        layer = under(w, f"layers.{number}")
        x = x.movedim(1, -1)
        for block in range(stage.blocks):
            x = attention_block(x, under(layer, f"blocks.{block}"), stage)
        x = x.movedim(-1, 1)
        if stage.merge_stride:
            x = merge(x, under(layer, "downsample"), stage.merge_stride)
    return neck(x, under(w, "neck"))


def inverted_bottleneck(x: Tensor, w: Weights) -> Tensor:
    """Return `x` plus what a widened depthwise convolution makes of it (MBConv)."""
    y = nn.gelu(convolution(x, under(w, "conv1")))
    y = nn.gelu(convolution(y, under(w, "conv2")))
    return nn.gelu(convolution(y, under(w, "conv3")) + x)


def merge(x: Tensor, w: Weights, stride: int) -> Tensor:
    """Return a map with the next stage's channels, its side divided by `stride`."""
    x = nn.gelu(convolution(x, under(w, "conv1")))
    x = nn.gelu(convolution(x, under(w, "conv2"), stride))
    return convolution(x, under(w, "conv3"))


def attention_block(x: Tensor, w: Weights, stage: Stage) -> Tensor:
    """Return tokens after windowed attention, a depthwise convolution and a perceptron."""
    x = x + window_attention(x, under(w, "attn"), stage)
    x = convolution(x.movedim(-1, 1), under(w, "local_conv")).movedim(1, -1)
    y = linear(layer_norm(x, under(w, "mlp"), "norm"), w, "mlp.fc1")
    return x + linear(nn.gelu(y), w, "mlp.fc2")


def window_attention(x: Tensor, w: Weights, stage: Stage) -> Tensor:
    """Return what each token takes from the others of its window."""
    (batch, side, _, count), window = x.shape, stage.window
    missing = -side % window
    across = (side + missing) // window
    # Zeros come before the normalisation, so that a padded token is its bias, not zero.
    y = layer_norm(nn.pad(x, (0, 0, 0, missing, 0, missing)), w, "norm")
    y = y.view(batch, across, window, across, window, count).transpose(2, 3)
    y = linear(y.reshape(-1, window**2, count), w, "qkv")
    query, key, value = y.view(-1, window**2, stage.heads, 3 * HEAD).transpose(1, 2).chunk(3, -1)
    bias = w["attention_biases"][:, offset_index(window).to(x.device)]
    y = nn.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
    y = linear(y.transpose(1, 2).flatten(2), w, "proj")
    y = y.view(batch, across, across, window, window, count).transpose(2, 3)
    return y.reshape(batch, side + missing, side + missing, count)[:, :side, :side]


def offset_index(window: int) -> Tensor:
    """Return the place of each pair's bias, (window^2, window^2), in order of first sight."""
    cells = list(itertools.product(range(window), repeat=2))
    places: dict[tuple[int, int], int] = {}
    index = [
        places.setdefault((abs(row - r), abs(col - c)), len(places))
        for row, col in cells
        for r, c in cells
    ]
    return torch.tensor(index).view(window**2, window**2)


def neck(x: Tensor, w: Weights) -> Tensor:
    """Return the embedding (B, 4096, 256) of the last stage's map."""
    y = nn.conv2d(x, w["0.weight"])
    y = layer_norm(y.movedim(1, -1), w, "1", NECK_EPS).movedim(-1, 1)
    y = nn.conv2d(y, w["2.weight"], padding=1)
    return layer_norm(y.flatten(2).transpose(1, 2), w, "3", NECK_EPS)


def convolution(x: Tensor, w: Weights, stride: int = 1) -> Tensor:
    """Return convolution and batch normalisation in one; depthwise where the kernel is so."""
    scale = w["bn.weight"] / torch.sqrt(w["bn.running_var"] + BATCH_NORM_EPS)
    kernel = w["c.weight"] * scale[:, None, None, None]
    bias = w["bn.bias"] - w["bn.running_mean"] * scale
    groups = len(kernel) if kernel.shape[1] == 1 else 1
    return nn.conv2d(x, kernel, bias, stride, kernel.shape[-1] // 2, groups=groups)
