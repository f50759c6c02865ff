"""Controls of a form, by the schema of what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import orjson

from samgis_process.ogc.schema_words import bbox_of, is_file, type_of
from samgis_process.ogc.wording import shown

Schema = Mapping[str, Any]
Control = Literal["choice", "switch", "number", "text", "bbox", "file", "several", "json"]
_SCALARS: dict[str, Control] = {
    "boolean": "switch", "integer": "number", "number": "number", "string": "text",
}  # fmt: skip
_CORNERS = ("West", "South", "East", "North")


def control_of(kinds: Sequence[Schema], *, several: bool) -> Control:
    """Return the control for a value of one of these kinds, or for `several` values."""
    first = kinds[0]
    cases: list[tuple[bool, Control]] = [
        (any(is_file(one) for one in kinds), "file"),
        (several, "json"),
        (any(bbox_of(one) is not None for one in kinds), "bbox"),
        (len(kinds) > 1, "json"),
        (bool(first.keys() & {"enum", "const"}), "choice"),
        (type_of(first) == "array" and "enum" in _items(first), "several"),
    ]
    usual = _SCALARS.get(type_of(first), "json")
    return next((control for holds, control in cases if holds), usual)


def choices(schema: Schema) -> tuple[tuple[str, str], ...]:
    """Return what there is to choose from, as (JSON, label)."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    values = _items(schema).get("enum", []) if values is None else values
    return tuple((to_json(one), one if isinstance(one, str) else to_json(one)) for one in values)


def beginning(control: Control, given: Any, schema: Schema) -> Any:
    """Return what a control holds at first: what is given, which may be None, or nothing."""
    match control:
        case "bbox":
            return _corners(given)
        case "switch":
            return bool(schema.get("default", False) if given is None else given)
        case "several":
            return [to_json(one) for one in given or schema.get("default", ())]
        case _:
            return "" if given is None else _TEXTS.get(control, to_json)(given)


def _corners(given: Any) -> list[tuple[str, Any]]:
    numbers = given.get("bbox") if isinstance(given, Mapping) else given
    four = numbers if isinstance(numbers, list) and len(numbers) == 4 else [""] * 4
    return list(zip(_CORNERS, four, strict=True))


def attributes(control: Control, kinds: Sequence[Schema], *, several: bool) -> dict[str, str]:
    """Return the attributes of the control: bounds, steps, media types."""
    first = kinds[0]
    match control:
        case "number":
            found = _named(first, {"min": "minimum", "max": "maximum"})
            return found | {"step": "1" if type_of(first) == "integer" else "any"}
        case "file":
            types = [str(one["contentMediaType"]) for one in kinds if "contentMediaType" in one]
            bare = dict.fromkeys(name.partition(";")[0] for name in types)
            return {"accept": ",".join(bare)} | ({"multiple": "multiple"} if several else {})
        case "bbox":
            is_object = any("bbox" in one.get("properties", {}) for one in kinds)
            return {"data-shape": "object" if is_object else "list"}
        case _:
            return {}


def _named(schema: Schema, names: Mapping[str, str]) -> dict[str, str]:
    return {key: shown(schema[name]) for key, name in names.items() if name in schema}


def _items(schema: Schema) -> Schema:
    items = schema.get("items")
    return items if isinstance(items, Mapping) else {}


def to_json(value: Any) -> str:
    """Return a value as JSON in one line."""
    return orjson.dumps(value).decode()


def _indented(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


_TEXTS: dict[Control, Callable[[Any], str]] = {
    "text": str,
    "json": _indented,
    "file": lambda _: "",  # browsers let no page fill it in
}
