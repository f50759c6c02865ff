"""The form to run a process, from its description: which control each input has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from samgis_process.ogc.controls import Control, attributes, beginning, choices, control_of
from samgis_process.ogc.samples import example
from samgis_process.ogc.schema_words import branches, is_file, limits, type_of, words
from samgis_process.ogc.schemas import media_types
from samgis_process.ogc.wording import shown


@dataclass(frozen=True, slots=True)
class Field:
    """An input, as it is asked for.

    Attributes:
        value: what stands in the control at first.
        default: what the process takes where nothing is given, in words; "" if that is not said.
        choices: the values to choose from, as (JSON, label).
        attributes: of the control: bounds, steps, media types.
        takes_text: whether a value may be a text, which then needs no quotation marks.
    """

    name: str
    title: str
    description: str
    control: Control
    is_required: bool
    words: str
    limits: str
    value: Any = ""
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    takes_text: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An output, and the media types to choose from."""

    name: str
    title: str
    description: str
    media_types: tuple[str, ...]


def fields(description: Mapping[str, Any]) -> list[Field]:
    """Return the inputs of a process, those first that must be given."""
    inputs = description.get("inputs", {})
    given = example(description)["inputs"]
    found = [_field(name, declared, given.get(name)) for name, declared in inputs.items()]
    return sorted(found, key=lambda one: not one.is_required)


def answers(description: Mapping[str, Any]) -> list[Answer]:
    """Return the outputs of a process."""
    return [
        Answer(
            name,
            str(declared.get("title", name)),
            str(declared.get("description", "")),
            tuple(media_types(declared.get("schema", {}))),
        )
        for name, declared in description.get("outputs", {}).items()
    ]


def _field(name: str, declared: Mapping[str, Any], given: Any) -> Field:
    schema = declared.get("schema", {})
    kinds, several = branches(schema), declared.get("maxOccurs", 1) != 1
    control = control_of(kinds, several=several)
    first = kinds[0]
    return Field(
        name,
        str(declared.get("title", name)),
        str(declared.get("description", "")),
        control,
        bool(declared.get("minOccurs", 1)),
        words(schema) + (", or a list of these" if several else ""),
        limits(first) if len(kinds) == 1 else "",
        beginning(control, given, first),
        shown(first["default"]) if "default" in first else "",
        choices(first),
        attributes(control, kinds, several=several),
        any(type_of(one) == "string" and not is_file(one) for one in kinds) and not several,
    )
