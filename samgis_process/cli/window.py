"""What commands about a map window share: how its corners are written, and how errors are said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from samgis_process.errors import Fault, InvalidRequest

# Where a command leaves what its prompts were, by their place in the input `prompt`.
PROMPTS = "samgis_process.cli.prompts"
_PLACE = re.compile(r"\w+(\[\d+\])?")


_COUNTS = {"--bbox": 4, "--box": 4, "--point": 2, "--exclude": 2}


class Degrees(click.ParamType[list[float]]):
    """Numbers with commas or blanks between them, such as LNG,LAT."""

    def __init__(self, names: str) -> None:
        self.name = names
        self._count = len(names.split(","))

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[float]:
        """Return the numbers."""
        try:
            numbers = [float(part) for part in re.split(r"\s*,\s*|\s+", value.strip())]
        except ValueError:
            numbers = []
        if len(numbers) != self._count:
            self.fail(f"{value!r} is not {self.name} in degrees.", param, ctx)
        return numbers


BBOX = Degrees("W,S,E,N")
POINT = Degrees("LNG,LAT")


class WindowCommand(click.Command):
    """Takes `--bbox W S E N` and the like, and names options as the process names its inputs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what was typed."""
        return super().parse_args(ctx, list(joined(args)))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        names = {param.name or "": _shown_name(param) for param in self.get_params(ctx)}
        try:
            return super().invoke(ctx)
        except InvalidRequest as error:
            names |= ctx.meta.get(PROMPTS, {})
            raise InvalidRequest(*(_renamed(fault, names) for fault in error.faults)) from error


def _shown_name(param: click.Parameter) -> str:
    return param.opts[0] if isinstance(param, click.Option) else param.human_readable_name


def joined(args: Sequence[str]) -> Iterator[str]:
    """Yield the arguments, the numbers that follow `--bbox` and its like as one."""
    rest = list(args)
    while rest:
        yield (first := rest.pop(0))
        count = _COUNTS.get(first, 0)
        if count and len(rest) >= count and all(map(_is_number, rest[:count])):
            yield ",".join(rest[:count])
            del rest[:count]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _renamed(fault: Fault, names: Mapping[str, str]) -> Fault:
    found = _PLACE.match(fault.input)
    place = found[0] if found else ""
    name = names.get(place) or names.get(place.partition("[")[0], fault.input)
    limit, remedy = (_with_options(text, names) for text in (fault.limit, fault.remedy))
    return replace(fault, input=name, limit=limit, remedy=remedy)


def _with_options(text: str, names: Mapping[str, str]) -> str:
    """Write options for the inputs in a text, as far as their names are no English words."""
    strange = [name for name in names if name == "bbox" or "_" in name]
    for name in strange:
        text = re.sub(rf"(?<![\w.-]){name}\b", names[name], text)
    return text
