"""One turn of practice: a user asks, the decoder answers, the user corrects."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from models.training import losses, prompts
from models.training.decoder import decode
from models.training.views import Batch

Rng = np.random.Generator
CORRECTIONS = ((0, 0.3), (1, 0.15), (2, 0.25), (4, 0.25), (7, 0.05))  # how many, how often
CLIP = 32.0  # logits handed on are cut there, as the server does


def practice(w: dict[str, Tensor], batch: Batch, rng: Rng) -> dict[str, float]:
    """Play users on objects with known truth; leaves gradients in `w`, returns what was seen."""
    truths = batch.truth.cpu().numpy()
    asked = [prompts.first(truth, rng) for truth in truths]
    counts, chances = zip(*CORRECTIONS, strict=True)
    runs = 1 + int(rng.choice(counts, p=chances))
    earlier, seen = None, {}
    for run in range(runs):
        ambiguous = torch.tensor(
            [run == 0 and not each.boxed for each in asked], device=batch.device
        )
        logits, predicted = decode(w, batch.tokens, *batch.inputs(asked), earlier)
        loss = losses.answer_loss(logits, predicted, batch.truth, batch.held, ambiguous)
        (loss.mean() / math.sqrt(runs)).backward()
        logits = logits.detach()
        iou = losses.true_iou(logits, batch.truth, batch.held)
        if run == 0:
            seen = first_run(loss.detach(), iou, predicted.detach(), ambiguous)
        chosen = torch.where(ambiguous & (rng.random() < 0.3), 1 + predicted[:, 1:].argmax(1), 0)
        earlier = logits[torch.arange(len(chosen)), chosen].half().float().clamp(-CLIP, CLIP)
        if run + 1 < runs:
            asked = corrected(asked, truths, (earlier > 0).cpu().numpy(), rng)
    return {**seen, f"iou_{runs}": float(iou[:, 0].mean())}


def first_run(loss: Tensor, iou: Tensor, predicted: Tensor, ambiguous: Tensor) -> dict[str, float]:
    """Return what the learning curves show of the first run."""
    seen = {"loss": float(loss.mean()), "iou_error": float((predicted - iou).abs().mean())}
    if ambiguous.any():
        seen["click"] = float(iou[ambiguous, 0].mean())
    if not ambiguous.all():
        seen["box"] = float(iou[~ambiguous, 0].mean())
    return seen


def corrected(
    asked: list[prompts.Prompts], truths: np.ndarray, masks: np.ndarray, rng: Rng
) -> list[prompts.Prompts]:
    """Return the prompts with one more click each; where all is right, one more inside."""
    result = []
    for each, truth, mask in zip(asked, truths, masks, strict=True):
        found = prompts.correction(truth, mask, rng)
        inside = (truth > 0.5) if (truth > 0.5).any() else truth >= truth.max()
        at, label = found or (prompts.in_frame(prompts.anywhere(inside, rng)), prompts.INCLUDE)
        result.append(prompts.Prompts([*each.coords, at], [*each.labels, label], each.boxed))
    return result


def rehearse(w: dict[str, Tensor], original: dict[str, Tensor], batch: Batch, rng: Rng) -> float:
    """Ask both decoders anything on pictures of other kinds; the untouched one is right."""
    held = batch.held.cpu().numpy() > 0
    asked = [
        prompts.Prompts([prompts.in_frame(prompts.anywhere(h, rng))], [1], False) for h in held
    ]
    with torch.no_grad():
        taught, taught_iou = decode(original, batch.tokens, *batch.inputs(asked))
        if rng.random() < 0.4:  # a box around what the click found
            found = (
                taught[torch.arange(len(asked)), taught_iou.argmax(1)] > 0
            ).cpu().numpy() & held
            found = [f if f.any() else h for f, h in zip(found, held, strict=True)]
            asked = [prompts.box(f.astype(np.float32), rng) for f in found]
            taught, taught_iou = decode(original, batch.tokens, *batch.inputs(asked))
        earlier = None
        if rng.random() < 0.4:
            earlier = taught[:, 0].half().float().clamp(-CLIP, CLIP)
            more = [prompts.in_frame(prompts.anywhere(h, rng)) for h in held]
            labels = [
                int(e[int(y) // 4, int(x) // 4] > 0)
                for e, (x, y) in zip(earlier, more, strict=True)
            ]
            asked = [
                prompts.Prompts([*a.coords, at], [*a.labels, label], a.boxed)
                for a, at, label in zip(asked, more, labels, strict=True)
            ]
            taught, taught_iou = decode(original, batch.tokens, *batch.inputs(asked), earlier)
    logits, predicted = decode(w, batch.tokens, *batch.inputs(asked), earlier)
    loss = losses.same_answer_loss(logits, predicted, taught, taught_iou, batch.held).mean()
    loss.backward()
    return float(loss.detach())
