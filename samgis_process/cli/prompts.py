"""Prompts as options, in the order in which they were typed."""

from __future__ import annotations

from typing import Any

import click

from samgis_process.cli.window import PROMPTS, WindowCommand, joined

KINDS = ("point", "exclude", "box")
_ORDER = "samgis_process.cli.order"


class PromptCommand(WindowCommand):
    """A command with the options `--point`, `--exclude` and `--box`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what was typed; click itself forgets the order of different options."""
        _, _, order = self.make_parser(ctx).parse_args(list(joined(args)))
        ctx.meta[_ORDER] = [param.name for param in order if param.name in KINDS]
        return super().parse_args(ctx, args)


def inputs(ctx: click.Context) -> dict[str, Any]:
    """Return the input `prompt`.

    Raises:
        UsageError: there are no prompts.
    """
    left = {kind: list(ctx.params[kind]) for kind in KINDS}
    typed = [(kind, left[kind].pop(0)) for kind in ctx.meta[_ORDER]]
    if not typed:
        raise click.UsageError("Nothing is pointed at: give --point or --box.", ctx)
    ctx.meta[PROMPTS] = {
        f"prompt[{index}]": f"--{kind} {','.join(f'{number:.9g}' for number in numbers)}"
        for index, (kind, numbers) in enumerate(typed)
    } | {"prompt": "--point, --box"}
    return {"prompt": [_prompt(kind, numbers) for kind, numbers in typed]}


def _prompt(kind: str, numbers: list[float]) -> dict[str, Any]:
    if kind == "box":
        west, south, east, north = numbers
        corners = {"sw": _corner(west, south), "ne": _corner(east, north)}
        return {"type": "rectangle", "data": corners}
    return {"type": "point", "data": _corner(*numbers), "label": int(kind == "point")}


def _corner(lng: float, lat: float) -> dict[str, float]:
    return {"lng": lng, "lat": lat}
