"""Seeded noise that looks like nature: random fields with a power-law spectrum."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]


def fractal(
    rng: np.random.Generator,
    shape: tuple[int, int],
    slope: float,
    stretch: float = 1.0,
    angle_deg: float = 0.0,
) -> Floats:
    """Return noise of mean 0 and deviation 1, float32 (rows, cols), which tiles seamlessly.

    Args:
        rng: draws the white noise it is made from.
        shape: rows, cols.
        slope: amplitude falls with frequency ** -slope; 0 is white, 2 soft hills.
        stretch: how much longer than wide its features are, along `angle_deg`.
        angle_deg: clockwise from east on the picture.
    """
    white = rng.standard_normal(shape, dtype=np.float32)
    rows = np.fft.fftfreq(shape[0])[:, None].astype(np.float32)
    cols = np.fft.rfftfreq(shape[1])[None, :].astype(np.float32)
    turn = math.radians(angle_deg)
    along = cols * math.cos(turn) + rows * math.sin(turn)
    across = rows * math.cos(turn) - cols * math.sin(turn)
    frequency = np.hypot(along * stretch, across)
    frequency[0, 0] = np.inf
    field = np.fft.irfft2(np.fft.rfft2(white) * frequency**-slope, s=shape).astype(np.float32)
    return np.asarray(field / field.std(), np.float32)


def broad(rng: np.random.Generator, shape: tuple[int, int], slope: float, coarse: int) -> Floats:
    """Return `fractal` noise without its details: made `coarse` times smaller, then enlarged."""
    small = (max(8, shape[0] // coarse), max(8, shape[1] // coarse))
    return enlarge(fractal(rng, small, slope), shape)


def enlarge(field: Floats, shape: tuple[int, int]) -> Floats:
    """Return `field` resampled to `shape` (rows, cols), bicubic."""
    size = (shape[1], shape[0])
    return np.asarray(Image.fromarray(field).resize(size, Image.Resampling.BICUBIC), np.float32)


def soften(field: Floats, sigma: float) -> Floats:
    """Return `field` blurred by a Gaussian of `sigma` pixels; edges are mirrored."""
    radius = math.ceil(3 * sigma)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    for axis in (0, 1):
        pad = [(radius, radius) if side == axis else (0, 0) for side in range(field.ndim)]
        padded, length = np.pad(field, pad, mode="symmetric"), field.shape[axis]
        field = np.zeros_like(field)
        for start, weight in enumerate(weights):
            part = slice(start, start + length)
            field += weight * (padded[part] if axis == 0 else padded[:, part])
    return field


def smoothstep(low: float, high: float, x: Floats) -> Floats:
    """Return 0 below `low`, 1 above `high` and Hermite's curve between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
