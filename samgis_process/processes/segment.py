"""`segment`: prompts on a map window become one outline per object."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from samgis_process import __version__
from samgis_process.embeddings import BlobStore, EmbeddingCache
from samgis_process.embeddings.replay import frame_prompts
from samgis_process.errors import NoData, Overloaded, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.inference.masks import Mask
from samgis_process.inference.room import ModelRoom
from samgis_process.processes import detail
from samgis_process.processes.clock import Clock
from samgis_process.processes.features import feature
from samgis_process.processes.outlines import Box, outline
from samgis_process.processes.pictures import Pictures
from samgis_process.processes.readings import Reading, squared
from samgis_process.processes.segment_answer import GEOJSON, Answer, written
from samgis_process.processes.segment_description import describe
from samgis_process.processes.segment_request import SegmentRequest
from samgis_process.processes.source_choice import origin
from samgis_process.processes.views import Looks, View, Views, box_pixels
from samgis_process.prompts import Target
from samgis_process.rendering import echo
from samgis_process.settings import LimitSettings
from samgis_process.sources import SourceCatalogue
from samgis_process.sources.inline import ImageSource
from samgis_process.sources.progress import told
from samgis_process.vector import shape

# A request with more objects than this comes from a list, not from a hand: nobody will refine
# each of them, and keeping their logits would push out those of people who do.
KEPT_OBJECTS = 16
_LONG = {"tiles": (0.05, "reading the picture"), "encode": (0.3, "encoding the picture")}
_DECODING = 0.6  # share of the work that is done when the first object's turn comes
NEAR_PX = 1.0  # pixels from a point within which there must be data
UNSTABLE = 0.7  # stability below which 84 % of the masks were bad


class Context(Protocol):
    """What a run is told and may tell."""

    @property
    def request_id(self) -> str:
        """Names the request in answers and logs."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """The media type wanted of each output."""

    def report(self, fraction: float, message: str) -> None:
        """Say how far the work is, 0 to 1."""

    def warn(self, words: str) -> None:
        """Say what a reader of the answer should know, whatever its format."""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """One reading of an object: its mask, and its outline in pixels of the request's window."""

    mask: Mask
    outline: BaseGeometry


class SegmentProcess:
    """The process and what it works with."""

    def __init__(
        self,
        sources: SourceCatalogue,
        models: ModelRoom,
        embeddings: EmbeddingCache,
        prefixes: BlobStore,
        limits: LimitSettings,
        pictures: Pictures,
    ) -> None:
        self._sources = sources
        self._models = models
        self._views = Views(embeddings, prefixes)
        self._limits = limits
        self._pictures = pictures
        self.description = describe(sources, models, limits)

    def run(self, inputs: Mapping[str, Any], context: Context) -> tuple[str, Any]:
        """Return the media type and the value of the output `features`.

        By default that is a GeoJSON FeatureCollection with a feature for each object found.

        Raises:
            InvalidRequest: the inputs cannot be used.
            SourceUnavailable: the pixels cannot be had.
        """
        request = SegmentRequest.from_inputs(
            inputs, self._sources, self._models, self._limits, self._pictures
        )
        run = _Run(request, self._views, context.report)
        if isinstance(request.source, ImageSource):
            self._pictures.keep(request.source)
        features = run.features()
        collection: dict[str, Any] = {
            "type": "FeatureCollection",
            "features": features,
            "samgis": run.member(context.request_id),
        }
        for words in collection["samgis"]["warnings"]:
            context.warn(words)
        wanted = context.outputs.get("features", GEOJSON)
        answer = Answer(request, inputs, collection, run.outlines)
        return wanted, written(answer, wanted)


class _Progress:
    """Says how far a run is. Apart from it: a clock that referred to its run would keep both."""

    def __init__(self, report: Callable[[float, str], None]) -> None:
        self._report = report
        self._done = 0.0  # share of the objects

    def object(self, number: int, count: int) -> None:
        """Say that the turn of an object has come."""
        self._done = number / count
        self._report(_DECODING + (1 - _DECODING) * self._done, f"object {number + 1}")

    def begun(self, step: str) -> None:
        """Say what takes long."""
        if step in _LONG:
            self._say(*_LONG[step])

    def tiles(self, there: int, total: int) -> None:
        """Say how far the reading of a window is."""
        (begin, words), (end, _) = _LONG["tiles"], _LONG["encode"]
        share = there / total
        self._say(begin + (end - begin) * share, f"{words}: tile {there} of {total}")

    def _say(self, fraction: float, words: str) -> None:
        if self._done:  # second looks come in the middle of objects
            fraction = _DECODING + (1 - _DECODING) * self._done
        self._report(fraction, words)


class _Run:
    """One request under way."""

    def __init__(
        self, request: SegmentRequest, views: Views, report: Callable[[float, str], None]
    ) -> None:
        self.request = request
        self._views = views
        self._progress = _Progress(report)
        self._clock = Clock(begun=self._progress.begun)
        self._looks = Looks(request.source, request.rendering, request.model)
        self._view = self._open(request.grid)
        self._warnings = [*request.warnings, *self._view.embedding.facts.get("warnings", ())]
        self._looked_closer = 0
        self.outlines: dict[int, BaseGeometry] = {}  # of those that became features, in pixels

    def features(self) -> list[dict[str, Any]]:
        """Return the features of all objects, in the order of their prompts."""
        readings: list[Reading] = []
        targets = self.request.targets
        for number, target in enumerate(targets):
            self._progress.object(number, len(targets))
            readings += self._object(number, target)
        with self._clock.step("vectorize"):
            if self.request.orthogonalize:
                readings = squared(readings, self.request.grid)
            made = [one for one in map(self._feature, readings) if one]
        # An object's number is the id of its answer; those of other readings come after all.
        others = itertools.count(len(targets))
        return [one | {"id": next(others)} if _is_other(one) else one for one in made]

    def member(self, request_id: str) -> dict[str, Any]:
        """Return where the answer came from."""
        request, view = self.request, self._view
        info, grid = request.source.info, request.grid
        return {
            "request_id": request_id,
            "timings_ms": self._clock.timings_ms(),
            "cache": view.cache,
            "model": {"id": request.model.id, "digest": request.model.digest},
            "source": origin(request.source)
            | {"zoom": grid.zoom, "attribution": info.attribution},
            "window": {
                "bounds": [round(degrees, 7) for degrees in grid.bounds],
                "crs": "OGC:CRS84",
                "width": grid.width,
                "height": grid.height,
                "resolution_m": round(grid.ground_resolution, 4),
            },
            "rendering": echo(request.rendering, info.bands, info.id),
            "looked_closer": self._looked_closer,
            "version": __version__,
            "warnings": self._warnings,
        }

    def _open(self, grid: GeoBox) -> View:
        few = len(self.request.targets) <= KEPT_OBJECTS
        with told(self._progress.tiles):
            return self._views.open(self._looks, grid, self._clock, keep=few)

    def _object(self, number: int, target: Target) -> list[Reading]:
        """Return an object's reading and its alternatives, or none and a warning that says why."""
        if void := self._pointed_at_nothing(target):
            self._warn(target, f"{void} lies where {self.request.source.info.id} has no data")
            return []
        answer, *others = self._found(target)
        if answer.mask.score < self.request.min_score:
            self._warn(target, f"left out, its score is {answer.mask.score:.3f}")
            return []
        good = [(0, answer)] + [
            (alternative, other)
            for alternative, other in enumerate(others, start=1)
            if other.mask.score >= self.request.min_score
        ]
        with self._clock.step("vectorize"):
            return [Reading(number, i, one.mask, self._shape(one)) for i, one in good]

    def _pointed_at_nothing(self, target: Target) -> str | None:
        """Return the prompt that means to include what is not there, if there is one."""
        valid = self._view.embedding.valid
        if valid is None:
            return None
        for prompt in target.prompts:
            if not prompt.include:
                continue
            box = box_pixels(prompt.box, self.request.grid) if prompt.box else None
            if prompt.at:
                col, row = self.request.grid.pixel(prompt.at)
                box = Box(col, row, col, row).widened(0, NEAR_PX)
            if box is None:
                continue
            rows = slice(max(0, math.floor(box.top)), math.ceil(box.bottom))
            cols = slice(max(0, math.floor(box.left)), math.ceil(box.right))
            if not valid[rows, cols].any():
                return prompt.path
        return None

    def _found(self, target: Target) -> Sequence[_Found]:
        """Return the answer to an object's prompts, then the alternatives if asked for."""
        view = self._view
        prompts = frame_prompts([view.rows(prompt) for prompt in target.prompts])
        with self._clock.step("decode"):
            replayed = view.replayer.replay(prompts, alternatives=self.request.masks == "all")
        answer, *others = (
            _Found(mask, self._outline(mask, target, view)) for mask in replayed.masks
        )
        return self._closer(target, answer), *others

    def _closer(self, target: Target, first: _Found) -> _Found:
        """Return what a second look finds, or the first where none is due or nothing is seen."""
        view, grid = self._view, self.request.grid
        if first.outline.is_empty:
            return first
        box = detail.object_box(target, first.outline, grid)
        crop = detail.crop_around(box, view.frame)
        drawn = target.box is not None
        due = detail.is_due(box, view.frame, self.request.detail, drawn=drawn)
        if not due or crop.of(grid) == grid:
            return first
        second = self._look_again(target, crop.of(grid))
        prompts = detail.prompts_for(target, second) if second else None
        if second is None or prompts is None:
            return first
        with self._clock.step("decode"):
            logits = detail.cropped(first.mask.logits, view.frame, crop, second.frame)
            start = replace(first.mask, logits=logits)
            mask = second.replayer.replay(prompts, start=start).mask
        outline = self._outline(mask, target, second)
        placed = shapely.transform(outline, lambda xy: np.add(xy, crop[:2]))
        return first if placed.is_empty else _Found(mask, placed)

    def _look_again(self, target: Target, grid: GeoBox) -> View | None:
        """Open the window of a second look; without it there is still the first answer."""
        if self._looked_closer == detail.MOST:
            words = f"only {detail.MOST} objects were looked at again; ask for smaller windows"
            self._warnings += [] if words in self._warnings else [words]
            return None
        try:
            view = self._open(grid)
        except (SourceUnavailable, NoData, Overloaded) as error:
            self._warn(target, f"not looked at again: {error}")
            return None
        self._looked_closer += 1
        known = view.embedding.facts.get("warnings", ())
        self._warnings += [words for words in known if words not in self._warnings]
        return view

    def _outline(self, mask: Mask, target: Target, view: View) -> BaseGeometry:
        """Return a mask's outline in pixels of the view, cut to the rectangle that was drawn."""
        margin, clip = self.request.box_margin, None
        if target.box and margin is not None:
            clip = box_pixels(target.box, view.grid).widened(margin)
        with self._clock.step("vectorize"):
            return outline(
                mask.logits, view.frame, self.request.contour, view.embedding.valid, clip
            )

    def _shape(self, found: _Found) -> BaseGeometry:
        return shape(found.outline, self.request.shaping, self.request.grid)

    def _feature(self, reading: Reading) -> dict[str, Any] | None:
        """Return a reading's feature; warn where the answer is nothing, or uncertain."""
        number, alternative, mask, outline = reading
        target = self.request.targets[number]
        made = feature(number, alternative, target, mask, outline, self.request.grid)
        if alternative:
            return made
        if made is None:
            self._warn(target, "nothing was found")
        else:
            self.outlines[number] = outline
            if mask.stability < UNSTABLE:
                self._warn(target, "the outline is uncertain; add a point or a rectangle")
        return made

    def _warn(self, target: Target, words: str) -> None:
        self._warnings.append(f"object {target.id}: {words}")


def _is_other(feature: Mapping[str, Any]) -> bool:
    return bool(feature["properties"]["alternative"])
