"""Prompts as values: what somebody pointed at, and which of them mean the same object.

Two spellings come in, SamGIS's list and a GeoJSON FeatureCollection; one comes out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from samgis_process.errors import Fault, InvalidInput, InvalidRequest
from samgis_process.grid import Bounds, LngLat

ObjectId = str | int | float
MAX_PROPERTIES = 10_000  # characters of a prompt's properties
MAX_NAME = 200  # characters of an id, or of an object's name
MAX_CORNERS = 10_000  # positions of a ring
MAX_RINGS = 100  # of a polygon; the first counts, the others are holes
SHOWN = 80  # characters of a wrong value in a message


@dataclass(frozen=True, slots=True)
class Prompt:
    """A point (include or exclude) or a box, drawn on the map.

    Attributes:
        at: the point, or None for a box.
        box: the box, or None for a point.
        include: whether a point is on the object; True for a box.
        object: the object it was said to belong to, if it was.
        id: the caller's own name of the prompt.
        properties: what the caller wants back in the feature.
        path: where it stood in the request, for messages.
    """

    path: str
    at: LngLat | None = None
    box: Bounds | None = None
    include: bool = True
    object: ObjectId | None = None
    id: str | int | float | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """One object to find: its prompts, in the order in which they are replayed."""

    id: ObjectId
    prompts: tuple[Prompt, ...]

    @property
    def box(self) -> Bounds | None:
        """The box of the object, if one was drawn."""
        return next((prompt.box for prompt in self.prompts if prompt.box), None)


def parse_prompts(value: Any, limit: int) -> tuple[Prompt, ...]:
    """Return the prompts of either spelling.

    Raises:
        InvalidRequest: naming each prompt that cannot be read.
        InvalidInput: no prompts at all, or more than `limit`.
    """
    entries = value.get("features", ()) if isinstance(value, Mapping) else value
    path = "prompt.features" if isinstance(value, Mapping) else "prompt"
    read = _from_geojson if isinstance(value, Mapping) else _from_samgis
    if not entries:
        raise InvalidInput(
            "prompt", "is empty", limit="at least one prompt", remedy="add a point or a rectangle"
        )
    if len(entries) > limit:
        raise InvalidInput(
            "prompt",
            f"holds {len(entries)} prompts",
            limit=f"at most {limit} in one request (limits.max_prompts)",
            remedy="send them in several requests",
        )
    prompts: list[Prompt] = []
    faults: list[Fault] = []
    for index, entry in enumerate(entries):
        try:
            prompts.append(read(entry, f"{path}[{index}]"))
        except InvalidRequest as error:
            faults.extend(error.faults)
    if faults:
        raise InvalidRequest(*faults)
    return tuple(prompts)


def group(prompts: Sequence[Prompt], *, separate: bool) -> tuple[Target, ...]:
    """Return the objects that `prompts` mean, in the order in which they first appear.

    Each box is an object; points inside exactly one box join it; other include points together
    are one object, or one each if `separate`; an exclude point outside every box applies to
    all objects; `object` on a prompt overrides. The order of prompts is kept.

    Raises:
        InvalidRequest: an object has no box and no include point, or more than one box.
    """
    boxes = [prompt for prompt in prompts if prompt.box]
    owners = [_owner(prompt, boxes, separate=separate) for prompt in prompts]
    ids = list(dict.fromkeys(owner for owner in owners if owner is not None))
    if not ids:
        raise InvalidInput(
            "prompt",
            "holds exclude points only",
            limit="each object needs a point to include or a rectangle",
            remedy="add a point with label 1 on the object",
        )
    targets = [
        Target(
            _public_id(key, position),
            tuple(p for p, owner in zip(prompts, owners, strict=True) if owner in (key, None)),
        )
        for position, key in enumerate(ids)
    ]
    faults = [fault for target in targets for fault in _faults(target)]
    if faults:
        raise InvalidRequest(*faults)
    return tuple(targets)


# An owner is ("named", id), ("box", path), ("points", "") or ("point", path); None means all.
_Owner = tuple[str, ObjectId]


def _owner(prompt: Prompt, boxes: Sequence[Prompt], *, separate: bool) -> _Owner | None:
    if prompt.object is not None:
        return "named", prompt.object
    if prompt.at is None:
        return "box", prompt.path
    around = [box for box in boxes if box.box and box.box.contains(prompt.at)]
    if len(around) == 1:
        return _owner(around[0], boxes, separate=separate)
    if not prompt.include:
        return None
    return ("point", prompt.path) if separate else ("points", "")


def _public_id(key: _Owner, position: int) -> ObjectId:
    return key[1] if key[0] == "named" else position


def _faults(target: Target) -> Iterator[Fault]:
    if sum(prompt.box is not None for prompt in target.prompts) > 1:
        yield Fault(
            "prompt",
            f"object {target.id!r} has more than one rectangle",
            "one rectangle per object",
            "give each rectangle its own object, or leave `object` out",
        )
    if not any(prompt.include for prompt in target.prompts):
        yield Fault(
            "prompt",
            f"object {target.id!r} has exclude points only",
            "each object needs a point to include or a rectangle",
            "add a point with label 1 on the object",
        )


def _from_samgis(entry: Any, path: str) -> Prompt:
    if not isinstance(entry, Mapping):
        raise InvalidInput(path, "is no object", limit='{"type": "point" | "rectangle", "data"}')
    kind, data = entry.get("type"), entry.get("data")
    bare = Prompt(path, object=_object(entry, path), id=entry.get("id"))
    if kind == "point":
        at = corner(data, f"{path}.data")
        return replace(bare, at=at, include=_label(entry.get("label", 1), f"{path}.label"))
    if kind == "rectangle":
        return replace(bare, box=samgis_bounds(data, f"{path}.data", any_corners=True))
    raise InvalidInput(f"{path}.type", f"is {_short(kind)}", limit='"point" or "rectangle"')


def _from_geojson(feature: Any, path: str) -> Prompt:
    geometry = feature.get("geometry") if isinstance(feature, Mapping) else None
    if not isinstance(geometry, Mapping):
        raise InvalidInput(path, "is no GeoJSON feature with a geometry")
    properties = feature.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise InvalidInput(f"{path}.properties", "is no object", limit='{"label": 1, ...} or null')
    size = len(repr(properties)) if len(properties) < MAX_PROPERTIES else MAX_PROPERTIES + 1
    if size > MAX_PROPERTIES:
        raise InvalidInput(
            f"{path}.properties",
            "are too long: they come back in each feature",
            limit=f"{MAX_PROPERTIES} characters",
            remedy="send an id, and join the rest to the answer by it",
        )
    own = {k: v for k, v in properties.items() if k not in {"label", "object", "as"}}
    bare = Prompt(
        path,
        object=_object(properties, f"{path}.properties"),
        id=feature.get("id", own.get("id")),
        properties=own,
    )
    coordinates, where = geometry.get("coordinates"), f"{path}.geometry.coordinates"
    if geometry.get("type") == "Point":
        include = _label(properties.get("label", 1), f"{path}.properties.label")
        return replace(bare, at=_position(coordinates, where), include=include)
    if geometry.get("type") == "Polygon":
        if properties.get("as", "box") != "box":
            raise InvalidInput(
                f"{path}.properties.as", f"is {_short(properties['as'])}", limit='"box"'
            )
        return replace(bare, box=_ring_bounds(coordinates, where))
    raise InvalidInput(
        f"{path}.geometry.type", f"is {_short(geometry.get('type'))}", limit='"Point" or "Polygon"'
    )


def _object(entry: Mapping[str, Any], path: str) -> ObjectId | None:
    return _named(entry.get("object"), f"{path}.object")


def _named(value: Any, path: str) -> ObjectId | None:
    """Return a caller's own name of something; it comes back, so it is not endless."""
    if isinstance(value, str) and len(value) > MAX_NAME:
        raise InvalidInput(path, "is too long", limit=f"{MAX_NAME} characters")
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    raise InvalidInput(path, "is neither text nor a number")


def _short(value: Any) -> str:
    """Return a value for a message, cut where it gets long."""
    text = repr(value[:SHOWN] if isinstance(value, str) else value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _label(value: Any, path: str) -> bool:
    """Return whether to include; 1.0 is 1, as tables with gaps write it, and no label is 1."""
    known = {"0": 0, "1": 1}.get(value, value) if isinstance(value, str) else value
    if known is None:
        return True
    if isinstance(known, int | float) and not isinstance(known, bool) and known in (0, 1):
        return known == 1
    raise InvalidInput(path, f"is {_short(value)}", limit="1 (include) or 0 (exclude)")


def corner(value: Any, path: str) -> LngLat:
    """Return SamGIS's `{"lat", "lng"}`; numbers written as text are accepted, as there."""
    if not isinstance(value, Mapping) or not {"lat", "lng"} <= value.keys():
        raise InvalidInput(path, "is no position", limit='{"lat": degrees, "lng": degrees}')
    return place(value["lng"], value["lat"], (f"{path}.lng", f"{path}.lat"))


def place(lng: Any, lat: Any, paths: tuple[str, str]) -> LngLat:
    """Return a position, checked: finite, latitude within +-90, longitude within +-360."""
    at = LngLat(_degrees(lng, paths[0], 360.0), _degrees(lat, paths[1], 90.0))
    if -180.0 <= at.lng <= 180.0:
        return at
    return LngLat((at.lng + 180.0) % 360.0 - 180.0, at.lat)


def samgis_bounds(value: Any, path: str, *, any_corners: bool = False) -> Bounds:
    """Return SamGIS's `{"ne", "sw"}`.

    Args:
        any_corners: take any two opposite corners; a rectangle drawn from the upper left comes
            so. Then the shorter way around the world is meant.
    """
    if not isinstance(value, Mapping) or not {"ne", "sw"} <= value.keys():
        raise InvalidInput(path, "is no rectangle", limit='{"ne": {"lat", "lng"}, "sw": {...}}')
    ne, sw = corner(value["ne"], f"{path}.ne"), corner(value["sw"], f"{path}.sw")
    bounds = Bounds(sw.lng, sw.lat, ne.lng, ne.lat)
    if not any_corners:
        return bounds
    south, north = sorted((sw.lat, ne.lat))
    west, east = bounds.west, bounds.east
    if bounds.lng_span > 180.0:
        west, east = east, west
    return _some_area(Bounds(west, south, east, north), path)


def _ring_bounds(coordinates: Any, path: str) -> Bounds:
    ring = coordinates[0] if isinstance(coordinates, Sequence) and coordinates else None
    rings = len(coordinates) if ring else 0
    if rings > MAX_RINGS:
        raise InvalidInput(
            path,
            f"has {rings} rings",
            limit=f"{MAX_RINGS} rings",
            remedy="send the outer ring alone: its bounds are what counts",
        )
    if isinstance(ring, Sequence) and len(ring) > MAX_CORNERS:
        raise InvalidInput(
            f"{path}[0]",
            f"has {len(ring)} positions",
            limit=f"{MAX_CORNERS} positions",
            remedy="send the four corners of its bounds: they are what counts",
        )
    if not isinstance(ring, Sequence) or len(ring) < 4:  # RFC 7946, 3.1.6
        raise InvalidInput(path, "is no polygon", limit="one closed ring of 4 or more positions")
    places = [_position(at, f"{path}[0][{index}]") for index, at in enumerate(ring)]
    lats, lngs = [at.lat for at in places], [places[0].lng]
    for at in places[1:]:  # the shorter way from corner to corner, as with rectangles
        lngs.append(lngs[-1] + (at.lng - lngs[-1] + 180.0) % 360.0 - 180.0)
    if max(lngs) - min(lngs) >= 360.0:
        west, east = -180.0, 180.0
    else:
        west, east = (one if -180.0 <= one <= 180.0 else (one + 180.0) % 360.0 - 180.0
                      for one in (min(lngs), max(lngs)))  # fmt: skip
    return _some_area(Bounds(west, min(lats), east, max(lats)), path)


def _some_area(bounds: Bounds, path: str) -> Bounds:
    if bounds.lng_span == 0 or bounds.south == bounds.north:
        raise InvalidInput(path, "has no area", remedy="give two corners apart in both directions")
    return bounds


def _position(value: Any, path: str) -> LngLat:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) not in (2, 3):
        raise InvalidInput(path, "is no position", limit="[longitude, latitude]")
    return place(value[0], value[1], (f"{path}[0]", f"{path}[1]"))


def _degrees(value: Any, path: str, limit: float) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isfinite(number) and -limit <= number <= limit:
        return number
    raise InvalidInput(path, f"is {_short(value)}", limit=f"degrees from -{limit:g} to {limit:g}")
