"""The answer of `segment` in each of the media types on offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shapely.geometry.base import BaseGeometry

from samgis_process.formats import COG
from samgis_process.formats.labels import labels
from samgis_process.formats.sketch import Mark, sketch
from samgis_process.formats.tables import Kind, available, table
from samgis_process.grid import GeoBox
from samgis_process.processes.segment_report import report
from samgis_process.processes.segment_request import SegmentRequest
from samgis_process.processes.views import box_pixels
from samgis_process.prompts import Prompt, Target
from samgis_process.sources import picture
from samgis_process.turns import aside

GEOJSON, PNG = "application/geo+json", "image/png"
REPORT = "application/vnd.samgis.report+json"
# What a table has in any case; the prompts' own properties come besides.
COLUMNS: dict[str, Kind] = {
    "object": "text",
    "score": "number",
    "predicted_iou": "number",
    "stability": "number",
    "area_m2": "number",
    "touches_edge": "boolean",
    "alternative": "integer",
    "prompt_ids": "text",
}


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What was found, and for what it was asked.

    Attributes:
        inputs: of the request, as they came.
        collection: the GeoJSON FeatureCollection.
        outlines: the best one of each object that was found, by its place among the request's
            targets, in pixels of the request's window.
    """

    request: SegmentRequest
    inputs: Mapping[str, Any]
    collection: dict[str, Any]
    outlines: Mapping[int, BaseGeometry]


def offered() -> tuple[str, ...]:
    """Return the media types, the usual one first."""
    return GEOJSON, *available(), COG, PNG, REPORT


def written(answer: Answer, media_type: str) -> Any:
    """Return the answer as a JSON value, or as the bytes of a file.

    Raises:
        SourceUnavailable: the picture for a preview cannot be had (any more).
    """
    if writer := _WRITERS.get(media_type):
        return writer(answer)
    return table(answer.collection, media_type, COLUMNS)


def _collection(answer: Answer) -> dict[str, Any]:
    return answer.collection


def _report(answer: Answer) -> dict[str, Any]:
    return report(answer.request, answer.inputs, answer.collection, GEOJSON)


def _labels(answer: Answer) -> bytes:
    targets = answer.request.targets
    shapes = {number + 1: outline for number, outline in answer.outlines.items()}
    return labels(shapes, {n: targets[n - 1].id for n in shapes}, answer.request.grid)


def _preview(answer: Answer) -> bytes:
    request = answer.request
    with aside(request.source.info.id):
        image, valid, _ = picture(request.source, request.grid, request.rendering)
    marks = [
        _mark(target, answer.outlines.get(number), request.grid)
        for number, target in enumerate(request.targets)
    ]
    return sketch(image, valid, marks, request.source.info.attribution)


def _mark(target: Target, outline: BaseGeometry | None, grid: GeoBox) -> Mark:
    points = [_point(prompt, grid) for prompt in target.prompts if prompt.at]
    boxes = [box_pixels(prompt.box, grid) for prompt in target.prompts if prompt.box]
    return Mark(outline, points, boxes)


def _point(prompt: Prompt, grid: GeoBox) -> tuple[float, float, bool]:
    if prompt.at is None:
        raise ValueError(f"{prompt.path} is no point")
    return *grid.pixel(prompt.at), prompt.include


_WRITERS: dict[str, Callable[[Answer], Any]] = {
    GEOJSON: _collection,
    COG: _labels,
    PNG: _preview,
    REPORT: _report,
}
