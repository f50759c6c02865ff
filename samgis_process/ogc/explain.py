"""The complaints of JSON Schema, in words for people."""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

from samgis_process.errors import Fault
from samgis_process.ogc.wording import counted, did_you_mean, kind, kinds, one_of, place, shown

MOST_FAULTS = 20  # of one input: enough to see what is wrong with a list of thousands


class _Words(NamedTuple):
    message: str
    limit: str
    remedy: str = ""
    below: tuple[str, ...] = ()  # members below the value, if the fault is theirs


def faults(validator: Validator, value: Any, name: str) -> list[Fault]:
    """Return what is wrong with the value of the input `name`; nothing where it is right."""
    try:
        errors = list(itertools.islice(validator.iter_errors(value), MOST_FAULTS + 1))
        found = [fault for error in errors for fault in _explained(error, name)]
    except RecursionError:
        return [Fault(name, "is nested too deeply", "", "Send a flatter value.")]
    if len(found) <= MOST_FAULTS:
        return found
    return [*found[:MOST_FAULTS], Fault(name, "has more faults of this sort", "", "")]


def _explained(error: ValidationError, name: str) -> Iterator[Fault]:
    if error.validator in {"anyOf", "oneOf"} and error.context:
        yield from _alternatives(error, name)
        return
    words = _WORDS.get(str(error.validator), _other)(error)
    yield Fault(
        place(name, [*error.absolute_path, *words.below]), words.message, words.limit, words.remedy
    )


def _alternatives(error: ValidationError, name: str) -> Iterator[Fault]:
    """Explain why the alternative that was most likely meant does not fit."""
    branches: dict[Any, list[ValidationError]] = defaultdict(list)
    for inner in error.context or ():
        branches[inner.relative_schema_path[0]].append(inner)
    candidates = [branch for branch in branches.values() if not _is_another_kind(branch)]
    tags = [_tag(branch) for branch in candidates]
    if not candidates:
        yield _no_kind_fits(error, branches.values(), name)
    elif all(tag is not None and _where(tag) == _where(tags[0]) for tag in tags):
        yield _no_tag_fits([tag for tag in tags if tag is not None], name)
    else:
        for inner in min(candidates, key=_distance):
            yield from _explained(inner, name)


def _is_another_kind(branch: Iterable[ValidationError]) -> bool:
    """Return whether the branch wants, say, an object where an array came."""
    return any(
        error.validator == "type" and not error.relative_path for error in _unpacked(branch)
    )


def _unpacked(branch: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Replace alternatives inside a branch that are all of another kind by their complaints."""
    for error in branch:
        if error.validator in {"anyOf", "oneOf"} and not error.relative_path and error.context:
            yield min(error.context, key=lambda inner: inner.validator != "type")
        else:
            yield error


def _tag(branch: Iterable[ValidationError]) -> ValidationError | None:
    """Return the complaint about a member that tells the alternatives apart, like `type`."""
    fixed = (error for error in branch if error.validator in {"const", "enum"})
    return next((error for error in fixed if len(error.relative_path) <= 1), None)


def _where(error: ValidationError | None) -> list[Any] | None:
    return None if error is None else list(error.absolute_path)


def _distance(branch: list[ValidationError]) -> tuple[bool, int, int, int]:
    """Sort alternatives: the right tag first, then members in common, fewer complaints, deeper."""
    depth = max(len(error.relative_path) for error in branch)
    return _tag(branch) is not None, -_in_common(branch), len(branch), -depth


def _in_common(branch: list[ValidationError]) -> int:
    """Return how many members of the value the alternative knows; all, if it minds none."""
    own = [error for error in branch if not error.relative_path]
    if not own:
        return sys.maxsize
    known = own[0].schema.get("properties", {}) if isinstance(own[0].schema, Mapping) else {}
    given = _given(own[0])
    return sum(name in known for name in given) if isinstance(given, Mapping) else 0


def _no_kind_fits(
    error: ValidationError, branches: Iterable[list[ValidationError]], name: str
) -> Fault:
    inner = [next(e for e in _unpacked(b) if e.validator == "type") for b in branches]
    wanted = one_of(kinds(_wanted(e)) for e in inner)
    message = f"{shown(error.instance)} is {kind(error.instance)}, not {wanted}"
    return Fault(place(name, error.absolute_path), message, wanted)


def _no_tag_fits(tags: list[ValidationError], name: str) -> Fault:
    allowed = [value for tag in tags for value in _allowed(tag)]
    words = _choice(tags[0].instance, allowed)
    return Fault(place(name, tags[0].absolute_path), *words[:3])


def _allowed(error: ValidationError) -> list[Any]:
    value = _wanted(error)
    return [value] if error.validator == "const" else list(value)


def _wanted(error: ValidationError) -> Any:
    return error.validator_value


def _given(error: ValidationError) -> Any:
    return error.instance


def _choice(value: Any, allowed: list[Any]) -> _Words:
    limit = one_of(shown(item) for item in allowed)
    names = [item for item in allowed if isinstance(item, str)]
    return _Words(f"{shown(value)} is not {limit}", limit, did_you_mean(value, names))


def _type(error: ValidationError) -> _Words:
    wanted = kinds(_wanted(error))
    return _Words(f"{shown(error.instance)} is {kind(error.instance)}, not {wanted}", wanted)


def _enum(error: ValidationError) -> _Words:
    return _choice(error.instance, _allowed(error))


def _required(error: ValidationError) -> _Words:
    instance: Mapping[str, Any] = _given(error)
    required: list[str] = _wanted(error)
    # The validator complains once for each missing member; which one, only its message says.
    missing = next(
        (n for n in required if n not in instance and error.message.startswith(repr(n))), ""
    )
    remedy = _spelling(missing, instance, error.schema)
    return _Words("is missing", f"required: {', '.join(required)}", remedy, (missing,))


def _spelling(missing: str, instance: Mapping[str, Any], schema: Any) -> str:
    """Return a hint where a missing member was probably misspelt."""
    known = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
    unknown = (name for name in instance if name not in known)
    hint = did_you_mean(missing, itertools.islice(unknown, MOST_FAULTS))
    return f"Spell it {missing}." if hint else f"Add {missing}."


def _additional(error: ValidationError) -> _Words:
    known = list(error.schema.get("properties", {})) if isinstance(error.schema, Mapping) else []
    unknown = [name for name in _given(error) if name not in known]
    remedy = did_you_mean(unknown[0], known) or "Leave it out."
    return _Words("is not known here", f"known: {', '.join(known)}", remedy, (unknown[0],))


def _bound(words: str) -> Callable[[ValidationError], _Words]:
    def explain(error: ValidationError) -> _Words:
        limit = f"{words} {shown(error.validator_value)}"
        return _Words(f"{shown(error.instance)} is not {limit}", limit)

    return explain


def _size(words: str, unit: str) -> Callable[[ValidationError], _Words]:
    def explain(error: ValidationError) -> _Words:
        limit = f"{words} {counted(_wanted(error), unit)}"
        return _Words(f"has {counted(len(_given(error)), unit)}", limit)

    return explain


def _pattern(error: ValidationError) -> _Words:
    limit = f"text that matches {error.validator_value}"
    return _Words(f"{shown(error.instance)} does not match {error.validator_value}", limit)


def _format(error: ValidationError) -> _Words:
    name = str(error.validator_value)
    return _Words(f"{shown(error.instance)} is not a valid {name}", name)


def _unique(error: ValidationError) -> _Words:
    return _Words(f"{shown(error.instance)} holds the same twice", "no repeats", "Remove repeats.")


def _other(error: ValidationError) -> _Words:
    return _Words(
        f"{shown(error.instance)} does not do ({error.validator})",
        f"{error.validator}: {shown(error.validator_value)}",
    )


_WORDS: dict[str, Callable[[ValidationError], _Words]] = {
    "type": _type,
    "enum": _enum,
    "const": _enum,
    "required": _required,
    "additionalProperties": _additional,
    "minimum": _bound("at least"),
    "maximum": _bound("at most"),
    "exclusiveMinimum": _bound("more than"),
    "exclusiveMaximum": _bound("less than"),
    "multipleOf": _bound("a multiple of"),
    "minItems": _size("at least", "item"),
    "maxItems": _size("at most", "item"),
    "minLength": _size("at least", "character"),
    "maxLength": _size("at most", "character"),
    "minProperties": _size("at least", "member"),
    "maxProperties": _size("at most", "member"),
    "pattern": _pattern,
    "format": _format,
    "uniqueItems": _unique,
}
