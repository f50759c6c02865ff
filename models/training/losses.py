"""What a decoder run should have answered.

Shapes: logits (B, 4, 256, 256), predicted IoU (B, 4), truth (B, 256, 256) in 0 to 1, held
(B, 256, 256): 1 where the grid holds picture, 0 in the padding.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as nn

FOCUS = 2.0  # exponent of the focal loss, Lin et al. 2017, arXiv:1708.02002
SMALL = 60.0  # cells; keeps tiny objects from dominating
IOU_WEIGHT = 2.0
OTHERS = 0.5  # weight of the three other readings: more, and they grow alike
KEEP = 3.0  # weight of staying with the untouched decoder on photographs


def shape_loss(logits: Tensor, truth: Tensor, held: Tensor) -> Tensor:
    """Return focal + dice loss of each mask, (B, 4).

    The focal part is a mean over the cells of either mask, so that small objects weigh as much
    as large ones. Over the object's cells alone, a small object answered with the whole window
    drowned everything else, and the decoder shrank its masks.
    """
    truth, held = truth[:, None], held[:, None]
    chance = logits.sigmoid()
    entropy = nn.binary_cross_entropy_with_logits(
        logits, truth.expand_as(logits), reduction="none"
    )
    focal = ((chance - truth).abs() ** FOCUS * entropy * held).sum((2, 3))
    chance = chance * held
    either = (chance + truth - chance * truth).detach().sum((2, 3))
    dice = 1 - (2 * (chance * truth).sum((2, 3)) + 1) / (
        (chance**2).sum((2, 3)) + (truth**2).sum((2, 3)) + 1
    )
    return focal / (either + SMALL) + dice


def true_iou(logits: Tensor, truth: Tensor, held: Tensor) -> Tensor:
    """Return the IoU of each mask with the truth, (B, 4)."""
    mask = (logits > 0) & (held[:, None] > 0)
    inside = (truth > 0.5)[:, None]
    both, any_ = (mask & inside).sum((2, 3)), (mask | inside).sum((2, 3))
    return both / any_.clamp(min=1)


def answer_loss(
    logits: Tensor, predicted: Tensor, truth: Tensor, held: Tensor, ambiguous: Tensor
) -> Tensor:
    """Return the loss of each run, (B,).

    Index 0 is always trained; after a single click (`ambiguous`, bool (B,)) the best of the
    three other readings too. Predicted IoU is trained towards what was reached, for all four.
    """
    shape = shape_loss(logits, truth, held)
    best = shape[:, 1:].min(1).values
    honest = (predicted - true_iou(logits.detach(), truth, held)).square().mean(1)
    return shape[:, 0] + OTHERS * best * ambiguous + IOU_WEIGHT * honest


def same_answer_loss(
    logits: Tensor, predicted: Tensor, taught: Tensor, taught_iou: Tensor, held: Tensor
) -> Tensor:
    """Return how far a run is from the untouched decoder's answer, (B,)."""
    target = taught.sigmoid()
    apart = nn.binary_cross_entropy_with_logits(logits, target, reduction="none")
    apart = apart - nn.binary_cross_entropy_with_logits(taught, target, reduction="none")
    held = held[:, None]
    chance, target = logits.sigmoid() * held, target * held
    either = (chance + target - chance * target).detach().sum((2, 3)) + SMALL
    dice = 1 - (2 * (chance * target).sum((2, 3)) + 1) / (
        (chance**2).sum((2, 3)) + (target**2).sum((2, 3)) + 1
    )
    shape = (apart * held).sum((2, 3)) / either
    return KEEP * (shape + dice).mean(1) + IOU_WEIGHT * (predicted - taught_iou).square().mean(1)


def held_cells(sizes: list[tuple[int, int]], device: str | torch.device) -> Tensor:
    """Return `held` for pictures of framed (width, height)."""
    held = torch.zeros(len(sizes), 256, 256, device=device)
    for each, (width, height) in zip(held, sizes, strict=True):
        each[: -(-height // 4), : -(-width // 4)] = 1
    return held
