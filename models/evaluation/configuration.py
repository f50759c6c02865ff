"""What is measured: a model and the rules by which its masks become an answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from samgis_process.settings import ModelSettings


@dataclass(frozen=True, slots=True)
class Configuration:
    """A way to answer prompts.

    Attributes:
        model: id in the catalogue, or the directory of a built model.
        choice: which mask is the answer, a name in `predict.CHOICES`.
        previous: whether the logits of the last answer are given with the next click.
        box_margin: how far a mask may reach over a prompted box, share of its sides; None for
            as far as it likes.
    """

    model: str = ModelSettings().default
    choice: str = "product"
    previous: bool = True
    box_margin: float | None = 0.02

    @classmethod
    def parse(cls, text: str, base: Configuration | None = None) -> Configuration:
        """Return `base` changed by `text`: "choice=largest-iou,previous=no,box_margin=none".

        Raises:
            ValueError: there is no such field, or it cannot have this value.
        """
        known = {field.name for field in fields(cls)}
        changes: dict[str, Any] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            if name not in known:
                raise ValueError(f"{name!r} is none of {', '.join(sorted(known))}")
            changes[name] = _value(name, value)
        return replace(base or cls(), **changes)

    def __str__(self) -> str:
        values = {"model": self.model} | {
            name: value for name, value in asdict(self).items() if value != getattr(DEFAULT, name)
        }
        return ", ".join(f"{name} {value}" for name, value in values.items())


def _value(name: str, text: str) -> Any:
    if name == "previous":
        return {"yes": True, "no": False}[text]
    if name == "box_margin":
        return None if text == "none" else float(text)
    return text


DEFAULT = Configuration()
# The mask with the largest predicted IoU of the four, nothing carried over, nothing cut.
OLD = Configuration(choice="largest-iou", previous=False, box_margin=None)
