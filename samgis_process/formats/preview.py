"""A picture for people: the composite with its legend, a title and a scale bar, as PNG."""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MOST_SIDE = 1024  # px, of the picture's longer side
LEAST_SIDE = 512  # px; a window of a few cells is drawn with cells this much larger
PANEL = 300  # px, where the legend stands
EDGE = 28  # px around everything
BAR = 18  # px, height of a colour bar
INK, FAINT, PAPER, FRAME, VOID = "#1d2530", "#5d6878", "#ffffff", "#c3cad3", (236, 238, 241)
TITLE, TEXT, SMALL = 24, 16, 13  # px, heights of letters
# Pillow's own font is always there and knows English; the rest of a name is drawn as near to it
# as can be. What was really said is in the item.
SPELT = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "\N{EN DASH}": "-",
        "\N{EM DASH}": "-", "\N{MINUS SIGN}": "-", "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    }
)  # fmt: skip


class ColourBar(Protocol):
    """What one channel of the composite means."""

    @property
    def colour(self) -> str:
        """Red, green, blue or tint."""
        ...

    @property
    def title(self) -> str:
        """What it shows."""
        ...

    @property
    def unit(self) -> str:
        """Unit of `low` and `high`."""
        ...

    @property
    def low(self) -> float:
        """The value at the beginning of the ramp."""
        ...

    @property
    def high(self) -> float:
        """The value at its end."""
        ...

    @property
    def ramp(self) -> NDArray[np.uint8]:
        """Colours from low to high, (n, 3)."""
        ...


class Caption(NamedTuple):
    """The words beside a picture."""

    title: str
    subtitle: str
    attribution: str


def preview(
    image: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    bars: Sequence[ColourBar],
    caption: Caption,
    resolution: float,
) -> bytes:
    """Return the PNG of `image`, uint8 (rows, cols, 3).

    Args:
        valid: (rows, cols); the rest is drawn in a light grey.
        resolution: metres on the ground per cell, at the middle row.
    """
    picture = _scaled(image, valid)
    scale = resolution * image.shape[1] / picture.width
    width = EDGE + picture.width + EDGE + PANEL + EDGE
    head = _Lines(width - 2 * EDGE, [(caption.title, TITLE, INK), (caption.subtitle, TEXT, FAINT)])
    foot = _Lines(width - 2 * EDGE, [(caption.attribution, SMALL, FAINT)])
    known = bool(valid.all())
    body = max(picture.height + 2 * TEXT, _legend_height(bars, known=known))
    sheet = Image.new("RGB", (width, head.height + body + foot.height + 4 * EDGE), PAPER)
    draw = ImageDraw.Draw(sheet)
    head.draw(draw, (EDGE, EDGE))
    top = head.height + 2 * EDGE
    sheet.paste(picture, (EDGE, top))
    frame = (EDGE - 1, top - 1, EDGE + picture.width, top + picture.height)
    draw.rectangle(frame, outline=FRAME)
    _scale_bar(draw, (EDGE, top + picture.height + TEXT), picture.width, scale)
    below = _legend(sheet, draw, (2 * EDGE + picture.width, top), bars)
    if not known:
        _void(draw, (2 * EDGE + picture.width, below))
    foot.draw(draw, (EDGE, top + body + EDGE))
    return _png(sheet)


def _png(sheet: Image.Image) -> bytes:
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def _scaled(image: NDArray[np.uint8], valid: NDArray[np.bool_]) -> Image.Image:
    """Return the picture in a size to look at: few cells become squares, many are averaged."""
    shown = np.where(valid[..., None], image, np.array(VOID, np.uint8))
    picture = Image.fromarray(shown)
    longest = max(picture.size)
    if longest > MOST_SIDE:
        size = [max(1, round(side * MOST_SIDE / longest)) for side in picture.size]
        return picture.resize((size[0], size[1]), Image.Resampling.BOX)
    factor = math.ceil(LEAST_SIDE / longest)
    size = [side * factor for side in picture.size]
    return picture.resize((size[0], size[1]), Image.Resampling.NEAREST)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


class _Lines:
    """Paragraphs, wrapped to a width."""

    def __init__(self, width: int, paragraphs: Sequence[tuple[str, int, str]]) -> None:
        self._lines = [
            (line, size, ink)
            for text, size, ink in paragraphs
            for line in _wrapped(text, _font(size), width)
        ]

    @property
    def height(self) -> int:
        return sum(_leading(size) for _, size, _ in self._lines)

    def draw(self, draw: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
        x, y = at
        for line, size, ink in self._lines:
            draw.text((x, y), line, ink, _font(size))
            y += _leading(size)


def _leading(size: int) -> int:
    return round(size * 1.45)


def _wrapped(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> list[str]:
    lines: list[str] = []
    for word in drawable(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def drawable(text: str) -> str:
    """Return the text in letters that the font has."""
    parts = unicodedata.normalize("NFKD", text.translate(SPELT))
    letters = (char for char in parts if not unicodedata.combining(char))
    return "".join(char if char.isascii() or char in "©·" else "?" for char in letters)


def _legend_height(bars: Sequence[ColourBar], *, known: bool) -> int:
    return sum(_titled(bar).height + BAR + 3 * TEXT for bar in bars) + (0 if known else 2 * BAR)


def _titled(bar: ColourBar) -> _Lines:
    name = bar.title if bar.colour == "tint" else f"{bar.colour}: {bar.title}"
    words = f"{name[:1].upper()}{name[1:]}" + (f" ({bar.unit})" if bar.unit else "")
    return _Lines(PANEL, [(words, TEXT, INK)])


def _legend(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    bars: Sequence[ColourBar],
) -> int:
    """Draw the colour bars one below the other; return where the last one ends."""
    x, y = at
    for bar in bars:
        title = _titled(bar)
        title.draw(draw, (x, y))
        y += title.height + 2
        sheet.paste(_ramp(bar.ramp), (x, y))
        draw.rectangle((x - 1, y - 1, x + PANEL, y + BAR), outline=FRAME)
        _ticks(draw, (x, y + BAR), bar)
        y += BAR + 3 * TEXT
    return y


def _void(draw: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
    x, y = at
    draw.rectangle((x - 1, y, x + 2 * BAR, y + BAR), VOID, FRAME)
    draw.text((x + 3 * BAR, y + BAR // 2), "no elevation known", FAINT, _font(SMALL), "lm")


def _ramp(colours: NDArray[np.uint8]) -> Image.Image:
    """Return the colour bar, with colours between those of the ramp."""
    at = np.linspace(0, len(colours) - 1, PANEL)
    channels = [np.interp(at, np.arange(len(colours)), colours[:, k]) for k in range(3)]
    row = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return Image.fromarray(np.repeat(row[None], BAR, axis=0))


def _ticks(draw: ImageDraw.ImageDraw, at: tuple[int, int], bar: ColourBar) -> None:
    """Write the values at the ends and in the middle of a bar."""
    x, y = at
    middle = (bar.low + bar.high) / 2
    for value, place, anchor in ((bar.low, 0, "la"), (middle, 0.5, "ma"), (bar.high, 1.0, "ra")):
        tick = x + round(place * (PANEL - 1))
        draw.line((tick, y, tick, y + 4), FAINT)
        draw.text((tick, y + 7), f"{value:.4g}", FAINT, _font(SMALL), anchor)


def _scale_bar(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], width: int, resolution: float
) -> None:
    """Draw a bar of a round length, a quarter of the picture's width or less."""
    x, y = at
    length = round_length(max(width, LEAST_SIDE) / 4 * resolution)
    right = x + round(length / resolution)
    draw.line((x, y, right, y), INK, 3)
    for end in (x, right):
        draw.line((end, y - 5, end, y + 5), INK, 2)
    draw.text((right + 10, y), in_words(length), INK, _font(SMALL), "lm")


def round_length(most: float) -> float:
    """Return the longest of 1, 2 and 5 times a power of ten that is not above `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(step for step in (power, 2 * power, 5 * power) if step <= most * (1 + 1e-9))


def in_words(metres: float) -> str:
    """Return a length with its unit."""
    if metres >= 1000:
        return f"{metres / 1000:g} km"
    return f"{metres:g} m" if metres >= 1 else f"{metres * 100:g} cm"
