"""Windows as a model sees them: from the cache, or read and encoded now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samgis_process.embeddings import (
    BlobStore,
    CacheState,
    Embedding,
    EmbeddingCache,
    Replayer,
    embedding_key,
)
from samgis_process.errors import SourceUnavailable
from samgis_process.grid import Bounds, GeoBox, Pixel
from samgis_process.inference.frame import InputFrame
from samgis_process.inference.model import Model
from samgis_process.processes.clock import Clock
from samgis_process.processes.outlines import Box
from samgis_process.prompts import Prompt
from samgis_process.rendering import AnyRendering
from samgis_process.sources import Source, picture
from samgis_process.turns import one_of_few

Rows = tuple[np.ndarray, tuple[float, ...]]  # a prompt's coordinates in the frame, their labels


@dataclass(frozen=True, slots=True)
class Looks:
    """What is looked at, and by whom: all windows of one request share it."""

    source: Source
    rendering: AnyRendering
    model: Model

    def key(self, grid: GeoBox) -> str:
        """Return the key of a window's embedding."""
        info = self.source.info
        return embedding_key(
            source=info.id,
            source_version=info.version,
            grid=grid,
            rendering=self.rendering.key,
            model=self.model.encoder_digest,
            preprocessing=self.model.preprocessing,
        )

    def embed(self, grid: GeoBox, clock: Clock) -> Embedding:
        """Read a window's pixels and encode them.

        Raises:
            SourceUnavailable: the pixels cannot be had, or changed while they were read.
        """
        key = self.key(grid)
        with one_of_few(self.source.info.id), clock.step("tiles"):
            image, valid, warnings = picture(self.source, grid, self.rendering)
        if self.key(grid) != key:  # the pixels are not those that the key stands for
            raise SourceUnavailable(f"{self.source.info.id} has just changed; ask again")
        with clock.step("encode"):
            features = self.model.encode(image)
        partly = None if valid.all() else valid
        return Embedding(features, partly, {"warnings": [*warnings]})


@dataclass(frozen=True, slots=True)
class View:
    """A window that was seen, ready for prompts."""

    grid: GeoBox
    embedding: Embedding
    cache: CacheState
    replayer: Replayer

    @property
    def frame(self) -> InputFrame:
        """How the window lies before the model."""
        return self.replayer.frame

    def rows(self, prompt: Prompt) -> Rows:
        """Return a prompt's coordinates in the input frame, and their labels."""
        if prompt.box:
            return self.box_rows(box_pixels(prompt.box, self.grid))
        if prompt.at is None:
            raise ValueError(f"{prompt.path} is neither point nor box")
        coords = self.frame.coords([self.grid.pixel(prompt.at)])
        return coords, (1.0 if prompt.include else 0.0,)

    def box_rows(self, box: Box) -> Rows:
        """Return the same of a rectangle in pixels of the window."""
        corners = [Pixel(box.left, box.top), Pixel(box.right, box.bottom)]
        return self.frame.coords(corners), (2.0, 3.0)


class Views:
    """Opens windows."""

    def __init__(self, embeddings: EmbeddingCache, prefixes: BlobStore) -> None:
        self._embeddings = embeddings
        self._prefixes = prefixes

    def open(self, looks: Looks, grid: GeoBox, clock: Clock, *, keep: bool) -> View:
        """Return a window as a model sees it.

        Args:
            keep: look for answers to earlier prompts, and keep the new ones.

        Raises:
            SourceUnavailable: the pixels cannot be had.
        """
        key = looks.key(grid)
        embedding, cache = self._embeddings.get(
            key, lambda: looks.embed(grid, clock), looks.source.info.id
        )
        with clock.step("decode"):
            seen = looks.model.see(embedding.features)
        frame = looks.model.frame(grid.width, grid.height)
        prefixes = self._prefixes if keep else None
        return View(grid, embedding, cache, Replayer(looks.model, frame, seen, key, prefixes))


def box_pixels(bounds: Bounds, grid: GeoBox) -> Box:
    """Return a rectangle in pixels of `grid`, cut at the window's edge."""
    # By its width, not by its east: across the antimeridian that may be a turn away.
    west = (bounds.west - grid.bounds.west + 180.0) % 360.0 - 180.0
    cols = np.array([west, west + bounds.lng_span]) / 360.0 * grid.world_size
    lats = np.array([bounds.north, bounds.south])
    _, rows = grid.pixels(np.full(2, bounds.west), lats)
    left, right = np.clip(cols, 0, grid.width)
    top, bottom = np.clip(rows, 0, grid.height)
    return Box(float(left), float(top), float(right), float(bottom))
