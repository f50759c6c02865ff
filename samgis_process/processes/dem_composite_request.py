"""The request of `dem-composite`, parsed once: past it nobody checks again."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from samgis_process.errors import InvalidInput
from samgis_process.grid import GeoBox
from samgis_process.processes.pictures import Pictures
from samgis_process.processes.source_choice import chosen
from samgis_process.processes.windows import place_window
from samgis_process.rendering import TERRAIN, TerrainRendering
from samgis_process.rendering.parse import terrain
from samgis_process.settings import LimitSettings
from samgis_process.sources import Source, SourceCatalogue
from samgis_process.sources.inline import ImageSource
from samgis_process.terrain import LAYERS, Options

RENDERING = "terrain"
MOST_RADIUS = 100  # cells; four times as many take four times as long
MOST_SMOOTH = 1000.0  # metres
MOST_SMOOTH_CELLS = 50
MOST_Z = 100.0


@dataclass(frozen=True, slots=True)
class DemCompositeRequest:
    """What to draw of the terrain, and where.

    Attributes:
        layers: names of `LAYERS`, in the order asked for, without the elevation, which always
            comes.
        options: of the layers, its radius in cells.
    """

    source: Source
    grid: GeoBox
    rendering: TerrainRendering
    layers: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)

    @classmethod
    def from_inputs(
        cls,
        inputs: Mapping[str, Any],
        sources: SourceCatalogue,
        limits: LimitSettings,
        pictures: Pictures,
    ) -> DemCompositeRequest:
        """Return the request that `inputs` describe.

        Raises:
            InvalidRequest: naming each input that cannot be used.
            SourceUnavailable: the source cannot be opened now.
        """
        image = _heights(pictures.source(inputs))
        source = image or _source(inputs, sources)
        info = source.info
        if image is None and inputs.get("bbox") is None:
            raise InvalidInput("bbox", "is missing", remedy="every request needs it")
        zoom, whole = _whole("zoom", inputs.get("zoom")), image is not None
        _, grid = place_window(inputs.get("bbox"), zoom, info, limits, whole=whole)
        radius = _radius(inputs.get("radius"), grid)
        name = _known("rendering", inputs.get("rendering"), TERRAIN, RENDERING)
        return cls(
            source,
            grid,
            terrain(name, info.bands, info.id, radius),
            _layers(inputs.get("layers")),
            _options(inputs, radius, grid),
        )


def _heights(image: ImageSource | None) -> ImageSource | None:
    """Refuse a picture that can be no elevation."""
    if image is None or image.info.bands.metres is not None:
        return image
    raise InvalidInput(
        "image",
        "holds no elevation",
        limit="a GeoTIFF of one band: float32, int16 or uint16",
        remedy="send such a file, or name a source of elevation",
    )


def _source(inputs: Mapping[str, Any], sources: SourceCatalogue) -> Source:
    """Return the source, which holds elevation; where none is named, the first that does."""
    named = [name for name in ("source", "source_type") if inputs.get(name) is not None]
    offered = sources.of_elevation
    if not named and offered:
        return sources.get(offered[0])
    source = chosen(inputs, sources)
    if source.info.bands.metres is not None:
        return source
    raise InvalidInput(
        named[0] if named else "source",
        f"{source.info.id} holds no elevation",
        limit=f"one of: {', '.join(offered)}" if offered else "a source of elevation",
        remedy="name a source of elevation" if offered else "the operator has to offer one",
    )


def _known(name: str, value: Any, known: Iterable[str], default: str = "") -> str:
    """Return one of the known names."""
    names = list(known)
    if value is None:
        return default
    if value in names:
        return str(value)
    near = difflib.get_close_matches(str(value)[:80].lower(), names, 1)
    raise InvalidInput(
        name,
        f"{str(value)[:80]!r} is not offered",
        limit=f"one of: {', '.join(names)}",
        remedy=f"did you mean {near[0]}?" if near else "choose one of these",
    )


def _layers(value: Any) -> tuple[str, ...]:
    """Return the layers asked for; each comes once, and the elevation anyway."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidInput("layers", "is no list", limit="a list of names")
    names = [_known(f"layers[{index}]", name, LAYERS) for index, name in enumerate(value)]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidInput(
                f"layers[{index}]", f"{name} is named twice", remedy="name each layer once"
            )
    return tuple(name for name in names if name != "elevation")


def _options(inputs: Mapping[str, Any], radius: int | None, grid: GeoBox) -> Options:
    usual, sun = Options(), inputs.get("sun")
    sun = {} if sun is None else sun
    if not isinstance(sun, Mapping):
        raise InvalidInput("sun", "is no object", limit="azimuth and altitude in degrees")
    for name in sun:
        _known("sun", name, ("azimuth", "altitude"))
    return Options(
        usual.radius if radius is None else radius,
        _number("sun.azimuth", sun.get("azimuth"), usual.azimuth, 0, 360),
        _number("sun.altitude", sun.get("altitude"), usual.altitude, 0, 90),
        _smooth(inputs.get("smooth"), grid),
        _z_factor(inputs.get("z_factor"), usual.z_factor),
    )


def _radius(value: Any, grid: GeoBox) -> int | None:
    """Return the radius in cells, or None where none is asked for."""
    if value is None:
        return None
    cells = _from_metres(value, grid) if isinstance(value, Mapping) else _whole("radius", value)
    if cells is None or not 1 <= cells <= MOST_RADIUS:
        raise InvalidInput(
            "radius",
            f"is {cells} cells of {grid.ground_resolution:.4g} m",
            limit=f"1 to {MOST_RADIUS} cells",
            remedy=_other_zoom(cells),
        )
    longer = max(grid.shape)
    if cells > longer:
        raise InvalidInput(
            "radius",
            f"is {cells} cells, more than the window has",
            limit=f"{longer} cells, the window's longer side",
            remedy="choose a smaller radius or a larger window",
        )
    return cells


def _other_zoom(cells: int | None) -> str:
    if (cells or 0) > MOST_RADIUS:
        return "choose a lower zoom, whose cells are larger, or a smaller radius"
    return "choose a higher zoom, whose cells are smaller, or a larger radius"


def _from_metres(value: Mapping[str, Any], grid: GeoBox) -> int:
    if set(value) != {"metres"}:
        raise InvalidInput(
            "radius", "has other members than metres", limit='a number of cells, or {"metres": r}'
        )
    metres = _number("radius.metres", value["metres"], 0.0, 0, math.inf)
    return round(metres / grid.ground_resolution)


def _smooth(value: Any, grid: GeoBox) -> float:
    metres = _number("smooth", value, 0.0, 0, MOST_SMOOTH, "metres")
    cells = metres / grid.ground_resolution
    if cells > MOST_SMOOTH_CELLS:
        raise InvalidInput(
            "smooth",
            f"is {metres:g} m, {cells:.4g} cells of {grid.ground_resolution:.4g} m",
            limit=f"{MOST_SMOOTH_CELLS} cells",
            remedy="choose a lower zoom, or smooth less",
        )
    return metres


def _z_factor(value: Any, usual: float) -> float:
    factor = _number("z_factor", value, usual, 0, MOST_Z)
    if factor == 0:
        raise InvalidInput("z_factor", "is 0", limit=f"more than 0, at most {MOST_Z:g}")
    return factor


def _whole(name: str, value: Any) -> int | None:
    if value is None:
        return None
    if not _is_number(value) or value != int(value):
        raise InvalidInput(name, f"{str(value)[:80]!r} is no whole number", limit="a whole number")
    return int(value)


def _number(
    name: str, value: Any, default: float, low: float, high: float, unit: str = ""
) -> float:
    if value is None:
        return default
    if not _is_number(value) or not low <= value <= high:
        limit = f"{low:g} to {high:g} {unit}".strip() if math.isfinite(high) else "0 or more"
        raise InvalidInput(name, f"is {str(value)[:80]}", limit=limit)
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
