"""Inputs of a request against the inputs of a description."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

from samgis_process.errors import Fault
from samgis_process.ogc import explain
from samgis_process.ogc.negotiation import is_json, narrows
from samgis_process.ogc.schemas import alternatives, for_validation
from samgis_process.ogc.wording import clipped, did_you_mean, shown

# Older drafts, and the conformance suite, nest the media type in `format`.
_QUALIFIED = {"value", "mediaType", "encoding", "schema", "format"}

# Beyond JSON Schema's own, formats such as `ogc-bbox` say what a value means, not how it looks.
FORMATS = FormatChecker()
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    """Return whether it is a date and time of RFC 3339; jsonschema's own check is an extra."""
    if not isinstance(value, str):
        return True
    return bool(_MOMENT.fullmatch(value) and datetime.fromisoformat(value.upper()))


class Checked(NamedTuple):
    """A value as the process gets it, and what is wrong with it."""

    value: Any
    faults: list[Fault]


# Takes the place of a reference, its input and itself; returns what stands there then.
Replace = Callable[[str, "Input", Mapping[str, Any]], Any]


class Input:
    """One input of a description, compiled."""

    def __init__(self, name: str, declared: Mapping[str, Any]) -> None:
        schema: Mapping[str, Any] = declared.get("schema", {})
        self.name = name
        self.fewest = int(declared.get("minOccurs", 1))
        most = declared.get("maxOccurs", 1)
        self.most = None if most == "unbounded" else int(most)
        self._members = set(schema.get("properties", ()))
        self._is_array = schema.get("type") == "array"
        self._validator = _compiled(schema)
        self.may_be_absent = self.fewest == 0 and not self._validator.is_valid(None)
        self._encodings = {
            str(branch["contentMediaType"]): branch.get("contentEncoding")
            for branch in alternatives(schema)
            if "contentMediaType" in branch
        }
        self._by_media_type = {
            str(branch["contentMediaType"]): _compiled(branch)
            for branch in alternatives(schema)
            if "contentMediaType" in branch
        }

    def encoding(self, media_type: str) -> str | None:
        """Return how bytes of this media type are written in JSON; None where they are text."""
        known = self._encodings.items()
        found = [encoding for offered, encoding in known if narrows(media_type, offered)]
        return found[0] if found else None

    def replaced(self, value: Any, replace: Replace) -> Any:
        """Return the value with what `replace` makes of each reference in it."""
        if self.most != 1 and self._is_list_of_occurrences(value):
            places = (f"{self.name}[{i}]" for i in range(len(value)))
            return [
                replace(place, self, item) if self._is_reference(item) else item
                for place, item in zip(places, value, strict=True)
            ]
        return replace(self.name, self, value) if self._is_reference(value) else value

    def check(self, value: Any, *, references: bool = False) -> Checked:
        """Return the value, unwrapped; a list where the input may occur several times.

        Args:
            references: whether a reference is right, too: its value comes later.
        """
        if self.most == 1:
            return self._check_one(value, self.name, references=references)
        items = value if self._is_list_of_occurrences(value) else [value]
        if miscounted := self._miscounted(len(items)):
            return Checked(value, miscounted)
        checked = [
            self._check_one(item, f"{self.name}[{i}]", references=references)
            for i, item in enumerate(items)
        ]
        faults = [fault for one in checked for fault in one.faults]
        return Checked([one.value for one in checked], faults[: explain.MOST_FAULTS])

    def _is_list_of_occurrences(self, value: Any) -> bool:
        if not isinstance(value, list):
            return False
        return not self._is_array or not value or any(isinstance(item, list) for item in value)

    def _miscounted(self, count: int) -> list[Fault]:
        if count >= self.fewest and (self.most is None or count <= self.most):
            return []
        most = "any number" if self.most is None else self.most
        return [Fault(self.name, f"has {count} values", f"{self.fewest} to {most} values")]

    def _check_one(self, value: Any, name: str, *, references: bool) -> Checked:
        if self._is_reference(value):
            return Checked(value, [] if references else [_no_reference(name)])
        if not (isinstance(value, dict) and "value" in value and value.keys() <= _QUALIFIED):
            return Checked(value, explain.faults(self._validator, value, name))
        if "value" in self._members and self._validator.is_valid(value):
            return Checked(value, [])
        return self._check_qualified(value, name)

    def _is_reference(self, value: Any) -> bool:
        """Return whether it is a link; of a link `href`, `type` and `format` count, no more."""
        if not (isinstance(value, dict) and isinstance(value.get("href"), str)):
            return False
        return "href" not in self._members

    def _check_qualified(self, qualified: dict[str, Any], name: str) -> Checked:
        nested = qualified.get("format")
        media_type = qualified.get("mediaType") or (
            nested.get("mediaType") if isinstance(nested, dict) else None
        )
        value = qualified["value"]
        if media_type is None:
            return Checked(value, explain.faults(self._validator, value, f"{name}.value"))
        validator = self._validator_for(str(media_type))
        if validator is None:
            return Checked(value, [self._wrong_media_type(media_type, name)])
        return Checked(value, explain.faults(validator, value, f"{name}.value"))

    def _validator_for(self, media_type: str) -> Validator | None:
        for offered, validator in self._by_media_type.items():
            if narrows(media_type, offered):
                return validator
        return self._validator if is_json(media_type) else None

    def _wrong_media_type(self, media_type: Any, name: str) -> Fault:
        known = list(self._by_media_type) or ["application/json"]
        return Fault(
            f"{name}.mediaType",
            f"{shown(media_type)} is not read here",
            ", ".join(known),
            did_you_mean(media_type, known),
        )


def _items(validator: Any, items: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Check the items of a list, but not of one too long, and no further than worth telling.

    A list of millions, each item wrong in every alternative, would else hold the server for
    minutes.
    """
    if isinstance(instance, list) and len(instance) <= schema.get("maxItems", len(instance)):
        check = Draft202012Validator.VALIDATORS["items"]
        yield from itertools.islice(
            check(validator, items, instance, schema), explain.MOST_FAULTS + 1
        )


_Validator: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"items": _items}
)


def _compiled(schema: Any) -> Validator:
    return _Validator(for_validation(schema), format_checker=FORMATS)


def _no_reference(name: str) -> Fault:
    return Fault(
        name,
        "refers to a value elsewhere (href), which this server does not fetch",
        "a value inside the request",
        "Send the value itself.",
    )


class Inputs:
    """The inputs of a description, compiled once."""

    def __init__(self, declared: Mapping[str, Mapping[str, Any]]) -> None:
        self._inputs = {name: Input(name, each) for name, each in declared.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._inputs

    def replaced(self, given: Mapping[str, Any], replace: Replace) -> dict[str, Any]:
        """Return the inputs with what `replace` makes of each reference in them."""
        return {
            name: self._inputs[name].replaced(value, replace) if name in self else value
            for name, value in given.items()
        }

    def check(
        self, given: Mapping[str, Any], *, references: bool = False
    ) -> tuple[dict[str, Any], list[Fault]]:
        """Return the inputs as the process gets them, and everything that is wrong with them.

        Null is how many clients write that an input is absent; it is, unless null means something.
        """
        given = {
            name: value
            for name, value in given.items()
            if value is not None or name not in self or not self._inputs[name].may_be_absent
        }
        checked = {
            name: self._inputs[name].check(given[name], references=references)
            for name in given
            if name in self
        }
        faults = [fault for one in checked.values() for fault in one.faults]
        strange = [name for name in given if name not in self][: explain.MOST_FAULTS]
        unknown = [self._unknown(name, given) for name in strange]
        missing = [
            self._missing(each.name, strange)
            for each in self._inputs.values()
            if each.fewest > 0 and each.name not in given
        ]
        values = {name: one.value for name, one in checked.items()}
        return values, [*unknown, *missing, *faults]

    def _unknown(self, name: str, given: Mapping[str, Any]) -> Fault:
        open_names = [known for known in self._inputs if known not in given]
        remedy = did_you_mean(name, open_names) or "Leave it out."
        return Fault(clipped(name), "is not an input of this process", self._known(), remedy)

    def _missing(self, name: str, strange: list[str]) -> Fault:
        misspelt = did_you_mean(name, strange)
        remedy = f"Spell it {name}." if misspelt else f"Add {name}."
        return Fault(name, "is missing", "required", remedy)

    def _known(self) -> str:
        return f"known: {', '.join(self._inputs)}" if self._inputs else "no inputs"
