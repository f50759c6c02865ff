"""`segment`: prompts on a map window become one outline per object."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from samgis_process import __version__
from samgis_process.embeddings import (
    BlobStore,
    CacheState,
    Embedding,
    EmbeddingCache,
    embedding_key,
)
from samgis_process.embeddings.replay import FramePrompts, Replayed, frame_prompts, held, replay
from samgis_process.errors import SourceUnavailable
from samgis_process.grid import Bounds, GeoBox, Pixel
from samgis_process.inference.frame import PREPROCESSING, InputFrame
from samgis_process.inference.masks import Mask
from samgis_process.inference.sam import GRID, SamModel
from samgis_process.processes.pictures import Pictures
from samgis_process.processes.segment_description import describe
from samgis_process.processes.segment_request import SegmentRequest
from samgis_process.prompts import Prompt, Target
from samgis_process.rendering import echo
from samgis_process.settings import LimitSettings
from samgis_process.sources import SourceCatalogue, picture
from samgis_process.sources.inline import ImageSource
from samgis_process.vector import (
    Patch,
    geodesic_area,
    pixel_polygons,
    shape,
    smooth_polygons,
    to_lnglat,
    upsample,
)

# A request with more objects than this comes from a list, not from a hand: nobody will refine
# each of them, and keeping their logits would push out those of people who do.
KEPT_OBJECTS = 16
UNSTABLE = 0.7  # stability below which 84 % of the masks were bad
ON_FRAME = 0.5  # pixels from the frame that count as touching it


class Context(Protocol):
    """What a run is told and may tell."""

    @property
    def request_id(self) -> str:
        """Names the request in answers and logs."""

    def report(self, fraction: float, message: str) -> None:
        """Say how far the work is, 0 to 1."""


@dataclass(slots=True)
class _Clock:
    """Milliseconds spent on each step of a request."""

    start: float = field(default_factory=time.perf_counter)
    spent: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("tiles", "encode", "decode", "vectorize"), 0.0)
    )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] += (time.perf_counter() - begun) * 1000

    def timings_ms(self) -> dict[str, float]:
        total = (time.perf_counter() - self.start) * 1000
        return {name: round(ms, 1) for name, ms in (self.spent | {"total": total}).items()}


class SegmentProcess:
    """The process and what it works with."""

    def __init__(
        self,
        sources: SourceCatalogue,
        model: SamModel,
        embeddings: EmbeddingCache,
        prefixes: BlobStore,
        limits: LimitSettings,
        pictures: Pictures,
    ) -> None:
        self._sources = sources
        self._model = model
        self._embeddings = embeddings
        self._prefixes = prefixes
        self._limits = limits
        self._pictures = pictures
        self.description = describe(sources, limits)

    def run(self, inputs: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Return a GeoJSON FeatureCollection with a feature for each object found.

        Raises:
            InvalidRequest: the inputs cannot be used.
            SourceUnavailable: the pixels cannot be had.
        """
        clock = _Clock()
        request = SegmentRequest.from_inputs(inputs, self._sources, self._limits, self._pictures)
        key = self._key(request)
        embedding, cache = self._embeddings.get(key, lambda: self._embed(request, key, clock))
        if isinstance(request.source, ImageSource):
            self._pictures.keep(request.source)
        context.report(0.5, "picture ready")
        found = self._decode(request, embedding, key, clock)
        warnings = [*request.warnings, *embedding.facts.get("warnings", ())]
        features = []
        for index, (target, replayed) in enumerate(zip(request.targets, found, strict=True)):
            feature = _feature(index, target, replayed.mask, request, embedding, clock, warnings)
            features.extend([feature] if feature else [])
        member = self._member(request, cache, context, clock, warnings)
        return {"type": "FeatureCollection", "features": features, "samgis": member}

    def _key(self, request: SegmentRequest) -> str:
        info = request.source.info
        return embedding_key(
            source=info.id,
            source_version=info.version,
            grid=request.grid,
            rendering=request.rendering.key,
            model=self._model.digest,
            preprocessing=PREPROCESSING,
        )

    def _embed(self, request: SegmentRequest, key: str, clock: _Clock) -> Embedding:
        with clock.step("tiles"):
            image, raw = picture(request.source, request.grid, request.rendering)
        if self._key(request) != key:  # the pixels are not those that the key stands for
            raise SourceUnavailable(f"{request.source.info.id} has just changed; ask again")
        with clock.step("encode"):
            tokens = self._model.encode(image)
        valid = None if raw.valid.all() else raw.valid
        return Embedding(tokens, valid, {"warnings": [*raw.warnings]})

    def _decode(
        self, request: SegmentRequest, embedding: Embedding, key: str, clock: _Clock
    ) -> list[Replayed]:
        frame = _frame(request.grid)
        prefixes = self._prefixes if len(request.targets) <= KEPT_OBJECTS else None
        with clock.step("decode"):
            tokens = embedding.tokens.astype(np.float32)
            return [
                replay(
                    _in_frame(target, request.grid, frame),
                    tokens,
                    self._model,
                    frame,
                    key,
                    prefixes,
                )
                for target in request.targets
            ]

    def _member(
        self,
        request: SegmentRequest,
        cache: CacheState,
        context: Context,
        clock: _Clock,
        warnings: list[str],
    ) -> dict[str, Any]:
        """Return where the answer came from."""
        info, grid = request.source.info, request.grid
        return {
            "request_id": context.request_id,
            "timings_ms": clock.timings_ms(),
            "cache": cache,
            "model": {"id": self._model.id, "digest": self._model.digest},
            "source": _origin(request) | {"zoom": grid.zoom, "attribution": info.attribution},
            "window": {
                "bounds": [round(degrees, 7) for degrees in grid.bounds],
                "crs": "OGC:CRS84",
                "width": grid.width,
                "height": grid.height,
                "resolution_m": round(grid.ground_resolution, 4),
            },
            "rendering": echo(request.rendering, info.bands, info.id),
            "version": __version__,
            "warnings": warnings,
        }


def _origin(request: SegmentRequest) -> dict[str, Any]:
    """Return what a later request may name the source by."""
    source = request.source
    if isinstance(source, ImageSource):
        bounds = [round(degrees, 7) for degrees in source.info.bounds]
        return {"id": source.info.id, "digest": source.digest, "bounds": bounds}
    return {"id": source.info.id}


def _frame(grid: GeoBox) -> InputFrame:
    return InputFrame(grid.width, grid.height)


def _in_frame(target: Target, grid: GeoBox, frame: InputFrame) -> FramePrompts:
    return frame_prompts([_rows(prompt, grid, frame) for prompt in target.prompts])


def _rows(
    prompt: Prompt, grid: GeoBox, frame: InputFrame
) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    """Return a prompt's coordinates in the input frame, and their labels."""
    if prompt.box:
        left, top, right, bottom = _box_pixels(prompt.box, grid)
        return frame.coords([Pixel(left, top), Pixel(right, bottom)]), (2.0, 3.0)
    if prompt.at is None:
        raise ValueError(f"{prompt.path} is neither point nor box")
    return frame.coords([grid.pixel(prompt.at)]), (1.0 if prompt.include else 0.0,)


def _box_pixels(box: Bounds, grid: GeoBox) -> tuple[float, float, float, float]:
    """Return (left, top, right, bottom) of a box, cut at the window's edge."""
    cols, rows = grid.pixels(np.array([box.west, box.east]), np.array([box.north, box.south]))
    left, right = np.clip(cols, 0, grid.width)
    top, bottom = np.clip(rows, 0, grid.height)
    return float(left), float(top), float(right), float(bottom)


def _feature(
    index: int,
    target: Target,
    mask: Mask,
    request: SegmentRequest,
    embedding: Embedding,
    clock: _Clock,
    warnings: list[str],
) -> dict[str, Any] | None:
    """Return the object's feature, or None and a warning that says why there is none."""
    if mask.score < request.min_score:
        warnings.append(f"object {target.id}: left out, its score is {mask.score:.3f}")
        return None
    with clock.step("vectorize"):
        in_pixels = shape(
            _outline(mask, target, request, embedding.valid), request.shaping, request.grid
        )
        geometry = to_lnglat(in_pixels, request.grid)
    if geometry.is_empty:
        warnings.append(f"object {target.id}: nothing was found")
        return None
    if mask.stability < UNSTABLE:
        warnings.append(
            f"object {target.id}: the outline is uncertain; add a point or a rectangle"
        )
    return {
        "type": "Feature",
        "id": index,
        "geometry": _geometry(geometry),
        "properties": _properties(target, mask)
        | {
            "area_m2": round(geodesic_area(geometry), 2),
            "touches_edge": _touches(in_pixels, request.grid),
        },
    }


def _outline(
    mask: Mask, target: Target, request: SegmentRequest, valid: NDArray[np.bool_] | None
) -> BaseGeometry:
    """Return the object's area in pixels of the window's grid."""
    frame = _frame(request.grid)
    rows, cols = held(frame)
    logits = mask.logits[:rows, :cols].astype(np.float32)
    width, height = _canvas(request, frame)
    scale = (frame.resized[0] / width, frame.resized[1] / height)
    patch = upsample(
        logits, (height, width), (scale[0] * GRID / frame.side, scale[1] * GRID / frame.side)
    )
    if valid is not None:
        patch = _only_valid(patch, valid, (width / frame.width, height / frame.height))
    drawn = pixel_polygons(patch) if request.contour == "pixel" else smooth_polygons(patch)
    placed = shapely.transform(drawn, lambda xy: xy * (frame.width / width, frame.height / height))
    return _cut_to_box(placed, target, request)


def _canvas(request: SegmentRequest, frame: InputFrame) -> tuple[int, int]:
    """Return (width, height) of the pixels to draw on: the window's, or the frame's if fewer.

    Finer than the frame there is nothing to see, but exact pixel edges are the window's.
    """
    own = (frame.width, frame.height)
    return own if request.contour == "pixel" else min(own, frame.resized)


def _only_valid(patch: Patch, valid: NDArray[np.bool_], scale: tuple[float, float]) -> Patch:
    """Return the patch with nothing above 0 where the source holds nothing."""
    rows, cols = patch.values.shape
    at_row = ((np.arange(rows) + patch.row_off + 0.5) / scale[1]).astype(int)
    at_col = ((np.arange(cols) + patch.col_off + 0.5) / scale[0]).astype(int)
    there = valid[np.ix_(at_row, at_col)]
    values = np.where(there, patch.values, -np.abs(patch.values) - 1)
    return Patch(values.astype(np.float32), patch.col_off, patch.row_off)


def _cut_to_box(geometry: BaseGeometry, target: Target, request: SegmentRequest) -> BaseGeometry:
    if target.box is None or request.box_margin is None:
        return geometry
    left, top, right, bottom = _box_pixels(target.box, request.grid)
    across = max(1.0, (right - left) * request.box_margin)
    along = max(1.0, (bottom - top) * request.box_margin)
    return shapely.clip_by_rect(
        geometry, left - across, top - along, right + across, bottom + along
    )


def _properties(target: Target, mask: Mask) -> dict[str, Any]:
    own = {key: value for prompt in target.prompts for key, value in prompt.properties.items()}
    ids = [prompt.id for prompt in target.prompts if prompt.id is not None]
    return own | {
        "object": target.id,
        "score": round(mask.score, 4),
        "predicted_iou": round(mask.predicted_iou, 4),
        "stability": round(mask.stability, 4),
        "prompt_ids": ids,
    }


def _touches(geometry: BaseGeometry, grid: GeoBox) -> bool:
    left, top, right, bottom = geometry.bounds
    return bool(
        left < ON_FRAME
        or top < ON_FRAME
        or right > grid.width - ON_FRAME
        or bottom > grid.height - ON_FRAME
    )


def _geometry(geometry: BaseGeometry) -> dict[str, Any]:
    """Return GeoJSON with the 7 decimals it was rounded to, not their binary tails."""
    value: dict[str, Any] = shapely.geometry.mapping(geometry)
    return {"type": value["type"], "coordinates": _rounded(value["coordinates"])}


def _rounded(value: Any) -> Any:
    return round(value, 7) if isinstance(value, float) else [_rounded(item) for item in value]
