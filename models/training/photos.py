"""Photographs of other kinds, on which the tuned model must answer as the untouched one does.

They come with scikit-image (and one with matplotlib, where that is installed); only those whose
docstring there says CC0 or public domain are taken.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage
from PIL import Image

# name: licence as stated in skimage/data/_fetchers.py
FREE = {
    "astronaut.png": "public domain (NASA)",
    "brick.png": "CC0 (CC0Textures)",
    "camera.png": "CC0 (Lav Varshney)",
    "cell.png": "CC0",
    "chelsea.png": "CC0 (Stefan van der Walt)",
    "clock_motion.png": "public domain (Stefan van der Walt)",
    "coffee.png": "CC0 (Rachel Michetti)",
    "grass.png": "CC0 (Dimitrios Zoupas)",
    "gravel.png": "CC0 (CC0Textures)",
    "hubble_deep_field.jpg": "public domain (NASA)",
    "retina.jpg": "CC0 (Häggström)",
    "rocket.jpg": "public domain (SpaceX)",
}


def photos() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return each photograph, uint8 (rows, cols, 3), with an empty label map."""
    root = Path(skimage.__file__).parent / "data"
    found = [np.asarray(Image.open(root / name).convert("RGB")) for name in FREE]
    return [(image, np.zeros(image.shape[:2], np.int32)) for image in found]
