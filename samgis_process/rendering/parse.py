"""From the input `rendering`, a name or an object, to a `Rendering` of a source's bands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from samgis_process.errors import InvalidInput
from samgis_process.rendering.bands import BYTE, Bands, Span
from samgis_process.rendering.spec import DEFAULT, MIN_MAX, Channel, Percentiles, Rendering
from samgis_process.rendering.terrain import TERRAIN, TerrainRendering
from samgis_process.terrain.position import LEAST_RADIUS

FIELD = "rendering"
NAMES = ("rgb", "grey", "false-colour")
DEFAULT_TERRAIN = "tinted-slope"  # segments landforms best: models/evaluation/LANDFORMS.md
DIFFERENCE_RANGE = Span(-1.0, 1.0)  # all that (a - b) / (a + b) can be where a, b >= 0
LARGEST = 1e30  # beyond it the width of a stretch may overflow

AnyRendering = Rendering | TerrainRendering
# A band, or the two of a normalised difference.
Component = tuple[int, int | None]


def parse(value: Any, bands: Bands, source: str) -> AnyRendering:
    """Return the rendering that `value` asks for; None is `rgb`, of elevation the default.

    Args:
        source: id of the source, for messages.

    Raises:
        InvalidInput: it is none, or this source has not the bands for it.
    """
    if value is None:
        value = "rgb" if bands.metres is None else DEFAULT_TERRAIN
    if isinstance(value, str):
        return terrain(value, bands, source) if value in TERRAIN else named(value, bands, source)
    if not isinstance(value, Mapping):
        raise _invalid("is neither a name nor an object", limit=_offer(bands))
    if unknown := sorted(str(key) for key in value if key not in {"bands", "stretch"}):
        raise _invalid(f"has the unknown member {unknown[0][:40]!r}", limit="bands, stretch")
    components = _components(value.get("bands", list(bands.natural)), bands, source)
    stretches = _stretches(value.get("stretch"), components, bands, source)
    return Rendering.of(
        tuple(Channel(*part, how) for part, how in zip(components, stretches, strict=True))
    )


def terrain(name: str, bands: Bands, source: str, radius: int | None = None) -> TerrainRendering:
    """Return a rendering of elevation by its name.

    Args:
        radius: cells of the surroundings; by default the rendering's own.

    Raises:
        InvalidInput: there is none of that name, or the source holds no elevation.
    """
    if bands.metres is None:
        raise _invalid(
            f"{name[:80]!r} draws elevation, which {source} does not hold",
            limit=_offer(bands),
            remedy="name a source of elevation, or another rendering",
        )
    if name not in TERRAIN:
        raise _invalid(f"{name[:80]!r} is none of the renderings", limit=", ".join(TERRAIN))
    return TerrainRendering(name, max(LEAST_RADIUS, radius or TERRAIN[name].radius))


def named(name: str, bands: Bands, source: str) -> Rendering:
    """Return a rendering by its name."""
    if name not in NAMES:
        raise _invalid(f"{name[:80]!r} is none of the renderings", limit=_offer(bands))
    chosen = bands.natural if name != "false-colour" else _false_colour(bands, source)
    channels = tuple(Channel(b, None, _unasked((b, None), bands)) for b in chosen)
    return Rendering.of(channels, luma=name == "grey")


def names(bands: Bands) -> tuple[str, ...]:
    """Return the names of the renderings that a source with these bands has."""
    if bands.metres is not None:
        return (*TERRAIN, "grey")
    coloured = bands.nir is not None and len(bands.natural) == 3
    return NAMES if coloured else NAMES[:2]


def echo(rendering: AnyRendering, bands: Bands, source: str) -> str | dict[str, Any]:
    """Return how to ask for `rendering` again: its name if it has one, else its object."""
    if isinstance(rendering, TerrainRendering):
        return rendering.name
    for name in NAMES if bands.metres is None else ("grey",):
        try:
            if named(name, bands, source) == rendering:
                return name
        except InvalidInput:
            continue
    return rendering.as_object()


def _false_colour(bands: Bands, source: str) -> tuple[int, ...]:
    if bands.nir is None or len(bands.natural) < 3:
        raise _invalid(
            f"{source} has no near infrared band for 'false-colour'",
            limit=_count(bands, source),
            remedy='choose "rgb", or name the bands',
        )
    return (bands.nir, *bands.natural[:2])


def _components(value: Any, bands: Bands, source: str) -> list[Component]:
    if not isinstance(value, list | tuple) or len(value) not in (1, 3):
        raise _invalid(
            "bands is no list of 1 or 3",
            limit='each a band number or {"nd": [a, b]}',
            remedy="1 for grey, 3 for red, green and blue",
        )
    return [_component(item, bands, source) for item in value]


def _component(item: Any, bands: Bands, source: str) -> Component:
    if not isinstance(item, Mapping):
        return _band(item, bands, source), None
    pair = item.get("nd")
    if set(item) != {"nd"} or not isinstance(pair, list | tuple) or len(pair) != 2:
        raise _invalid("an object in bands is no normalised difference", limit='{"nd": [a, b]}')
    first, second = (_band(number, bands, source) for number in pair)
    if first == second:
        raise _invalid(f"band {first} minus itself is nothing", limit="two different bands")
    return first, second


def _band(item: Any, bands: Bands, source: str) -> int:
    # JSON has one kind of number: 4.0 is 4.
    whole = isinstance(item, int) or (isinstance(item, float) and item.is_integer())
    if isinstance(item, bool) or not whole:
        raise _invalid("a band is no whole number", limit=_count(bands, source))
    if not 1 <= item <= bands.count:
        raise _invalid(
            f"band {str(item)[:20]} does not exist",
            limit=_count(bands, source),
            remedy="bands count from 1",
        )
    return int(item)


def _stretches(
    value: Any, components: list[Component], bands: Bands, source: str
) -> list[Span | Percentiles]:
    if value is None:
        return [_unasked(part, bands) for part in components]
    if value == "none":
        return [Span(*BYTE) if part[1] is None else DIFFERENCE_RANGE for part in components]
    if value == "minmax":
        return [_surveyed(MIN_MAX, bands, source)] * len(components)
    if not isinstance(value, list | tuple) or not value:
        raise _invalid("stretch is of no known kind", limit=_stretch_offer())
    if isinstance(value[0], list | tuple):
        return _spans(value, len(components))
    low, high = _ends(value, "stretch")
    if not 0 <= low < high <= 100:
        raise _invalid(
            f"stretch [{low:g}, {high:g}] is no pair of percentiles",
            limit="0 <= low < high <= 100",
            remedy="write values of the bands as pairs: [[low, high], ...]",
        )
    return [_surveyed(Percentiles(low, high), bands, source)] * len(components)


def _spans(pairs: Any, count: int) -> list[Span | Percentiles]:
    if len(pairs) not in {1, count}:
        raise _invalid(
            f"stretch has {len(pairs)} pairs for {count} bands",
            limit="one pair for all, or one for each band",
        )
    spans = [Span(*_ends(pair, "a pair of stretch")) for pair in pairs]
    for span in spans:
        if not (-LARGEST <= span.low < span.high <= LARGEST):
            raise _invalid(
                f"stretch [{span.low:g}, {span.high:g}] is no range of values",
                limit=f"low < high, between {-LARGEST:g} and {LARGEST:g}",
            )
    return [*spans] if len(spans) == count else [*spans * count]


def _ends(pair: Any, what: str) -> tuple[float, float]:
    numbers = isinstance(pair, list | tuple) and len(pair) == 2
    if not numbers or not all(_is_number(item) for item in pair):
        raise _invalid(f"{what} is not two finite numbers", limit=_stretch_offer())
    low, high = (float(item) + 0.0 for item in pair)  # + 0.0 makes -0.0 the same as 0.0
    return low, high


def _is_number(item: Any) -> bool:
    if isinstance(item, bool) or not isinstance(item, int | float):
        return False
    return abs(item) <= LARGEST if isinstance(item, int) else math.isfinite(item)


def _unasked(part: Component, bands: Bands) -> Span | Percentiles:
    if part[1] is not None:
        return DIFFERENCE_RANGE
    return bands.spans[part[0] - 1] or DEFAULT


def _surveyed(stretch: Percentiles, bands: Bands, source: str) -> Percentiles:
    if not bands.surveyed:
        raise _invalid(
            f"{source} is a layer of tiles: nobody has seen all its values",
            limit='stretch "none" or [[low, high], ...]',
            remedy="give the values to draw as black and white",
        )
    return stretch


def _offer(bands: Bands) -> str:
    names = NAMES if bands.metres is None else (*TERRAIN, "grey")
    return f'{", ".join(names)}, or {{"bands": [...], "stretch": ...}}'


def _stretch_offer() -> str:
    return '[2, 98] (percentiles), "minmax", "none" or [[low, high], ...]'


def _count(bands: Bands, source: str) -> str:
    return f"{source} has {bands.count} band{'s' * (bands.count != 1)}"


def _invalid(message: str, *, limit: str = "", remedy: str = "") -> InvalidInput:
    return InvalidInput(FIELD, message, limit=limit, remedy=remedy)
