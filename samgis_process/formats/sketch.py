"""A picture for people: a window with what was found in it, and what it was found from, as PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from samgis_process.formats.preview import FAINT, PAPER, SMALL, VOID, drawable

MOST_SIDE, LEAST_SIDE = 1280, 640  # px of the picture's longer side
SHARP = 3  # lines are drawn so many times larger and shrunk: edges without steps
# Told apart by people with any colour vision, and on green, grey and blue ground.
COLOURS = (
    (255, 176, 0), (100, 143, 255), (220, 38, 127), (0, 200, 160), (254, 97, 0), (180, 120, 255),
    (255, 235, 90), (120, 215, 255),
)  # fmt: skip
CASING = (16, 20, 28)
WHITE = (255, 255, 255)
FILL = 0.22  # opacity of an object's area
LINE, EDGE = 2.4, 4.6  # px, width of an outline and of its dark edge
POINT = 5.5  # px, radius of a point

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """An object, in pixels of the window.

    Attributes:
        outline: None where nothing was found.
        points: (col, row, include).
        boxes: (left, top, right, bottom).
    """

    outline: BaseGeometry | None = None
    points: Sequence[tuple[float, float, bool]] = ()
    boxes: Sequence[Box] = ()


def sketch(
    image: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    marks: Sequence[Mark],
    attribution: str = "",
) -> bytes:
    """Return the PNG of `image`, uint8 (rows, cols, 3), with `marks` drawn on it.

    Args:
        valid: (rows, cols); the rest is drawn in a light grey.
        attribution: is written below.
    """
    picture, scale = _scaled(image, valid)
    for mark, colour in _coloured(marks):
        if mark.outline is not None:
            _outline(picture, _enlarged(mark.outline, scale), colour)
    for mark, colour in _coloured(marks):
        for box in mark.boxes:
            _box(picture, shapely.box(*np.multiply(box, scale * 2)), colour)
    for mark, colour in _coloured(marks):
        for col, row, include in mark.points:
            _point(picture, (col * scale[0], row * scale[1]), colour if include else None)
    stream = io.BytesIO()
    _captioned(picture, attribution).save(stream, "PNG")
    return stream.getvalue()


def _coloured(marks: Sequence[Mark]) -> Iterator[tuple[Mark, tuple[int, int, int]]]:
    for number, mark in enumerate(marks):
        yield mark, COLOURS[number % len(COLOURS)]


def _scaled(
    image: NDArray[np.uint8], valid: NDArray[np.bool_]
) -> tuple[Image.Image, tuple[float, float]]:
    """Return the picture in a size to look at, and its pixels per pixel of the window."""
    shown = np.where(valid[..., None], image, np.array(VOID, np.uint8))
    picture = Image.fromarray(shown)
    longest = max(picture.size)
    if longest > MOST_SIDE:
        factor = MOST_SIDE / longest
        size = [max(1, round(side * factor)) for side in picture.size]
        how = Image.Resampling.BOX
    else:
        whole = math.ceil(LEAST_SIDE / longest)
        size, how = [side * whole for side in picture.size], Image.Resampling.NEAREST
    scale = (size[0] / picture.width, size[1] / picture.height)
    return picture.resize((size[0], size[1]), how), scale


def _enlarged(geometry: BaseGeometry, scale: tuple[float, float]) -> BaseGeometry:
    return shapely.transform(geometry, lambda xy: xy * scale)


def _outline(picture: Image.Image, shape: BaseGeometry, colour: tuple[int, int, int]) -> None:
    rings = _rings(shape)
    with _Layer(picture, shape.bounds) as layer:
        layer.area(shape, colour)
        layer.lines(rings, CASING, EDGE)
        layer.lines(rings, colour, LINE)


def _rings(shape: BaseGeometry) -> list[NDArray[np.float64]]:
    lines = shapely.get_parts(shapely.boundary(shapely.get_parts(shape)))
    return [shapely.get_coordinates(line) for line in shapely.get_parts(lines)]


def _box(picture: Image.Image, shape: shapely.Polygon, colour: tuple[int, int, int]) -> None:
    dashes = [shapely.get_coordinates(dash) for dash in _dashes(shape.exterior)]
    with _Layer(picture, shape.bounds) as layer:
        layer.lines(_rings(shape), CASING, LINE)
        layer.lines(dashes, colour, LINE)


def _dashes(ring: shapely.LinearRing, length: float = 7.0) -> Iterator[BaseGeometry]:
    """Yield every other piece of a line, of about equal length."""
    count = max(4, round(ring.length / length / 2))
    step = ring.length / count
    for number in range(count):
        yield substring(ring, number * step, (number + 0.5) * step)


def _point(
    picture: Image.Image, at: tuple[float, float], colour: tuple[int, int, int] | None
) -> None:
    """Draw a disc with a plus in it, or, to exclude, a black one with a minus."""
    spot = shapely.Point(at)
    col, row = at
    arm = POINT * 0.55
    with _Layer(picture, spot.buffer(POINT).bounds) as layer:
        layer.area(spot.buffer(POINT + 2.6), CASING, 1.0)
        layer.area(spot.buffer(POINT + 1.4), WHITE, 1.0)
        layer.area(spot.buffer(POINT), colour or CASING, 1.0)
        across = np.array([(col - arm, row), (col + arm, row)])
        down = np.array([(col, row - arm), (col, row + arm)])
        layer.lines([across, down] if colour else [across], CASING if colour else WHITE, 2.0)


class _Layer:
    """A part of a picture, drawn on in the large and put back."""

    def __init__(self, picture: Image.Image, bounds: Box) -> None:
        left, top, right, bottom = bounds
        around = math.ceil(EDGE) + 2
        self._box = (
            max(0, math.floor(left) - around),
            max(0, math.floor(top) - around),
            min(picture.width, math.ceil(right) + around),
            min(picture.height, math.ceil(bottom) + around),
        )
        self._picture = picture
        self._part = picture.crop(self._box)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._picture.paste(self._part, self._box[:2])

    def area(
        self, shape: BaseGeometry, colour: tuple[int, int, int], opacity: float = FILL
    ) -> None:
        """Fill polygons; their holes stay as they are."""
        cover, draw = self._cover()
        for part in shapely.get_parts(shape):
            draw.polygon(self._large(part.exterior), 255)
            for hole in part.interiors:
                draw.polygon(self._large(hole), 0)
        self._put(cover, colour, opacity)

    def lines(
        self, lines: Sequence[NDArray[np.float64]], colour: tuple[int, int, int], width: float
    ) -> None:
        """Draw lines with round corners."""
        cover, draw = self._cover()
        for line in lines:
            draw.line(self._large(line), 255, round(width * SHARP), "curve")
        self._put(cover, colour, 1.0)

    def _cover(self) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        cover = Image.new("L", (self._part.width * SHARP, self._part.height * SHARP))
        return cover, ImageDraw.Draw(cover)

    def _large(self, line: BaseGeometry | NDArray[np.float64]) -> list[tuple[float, float]]:
        xy = line if isinstance(line, np.ndarray) else shapely.get_coordinates(line)
        return [(x, y) for x, y in ((xy - self._box[:2]) * SHARP).tolist()]

    def _put(self, cover: Image.Image, colour: tuple[int, int, int], opacity: float) -> None:
        small = cover.resize(self._part.size, Image.Resampling.BOX)
        self._part.paste(colour, (0, 0), small.point(lambda value: value * opacity))


def _captioned(picture: Image.Image, text: str) -> Image.Image:
    """Return the picture with a line of text below, shortened to its width."""
    words, font = drawable(text), ImageFont.load_default(SMALL)
    if not words:
        return picture
    while len(words) > 1 and font.getlength(words) > picture.width - SMALL:
        words = words.removesuffix("...")[:-1].rstrip() + "..."
    sheet = Image.new("RGB", (picture.width, picture.height + 2 * SMALL), PAPER)
    sheet.paste(picture)
    at = (SMALL // 2, picture.height + SMALL)
    ImageDraw.Draw(sheet).text(at, words, FAINT, font, "lm")
    return sheet
