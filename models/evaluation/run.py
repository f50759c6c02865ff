"""Ask for every object and write down what came back."""

from __future__ import annotations

import functools
import math
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from models.evaluation import protocol
from models.evaluation.configuration import Configuration
from models.evaluation.metrics import boundary_iou
from models.evaluation.pairs import Task
from models.evaluation.predict import Answer, Predictor
from models.evaluation.records import record

CLICKS = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked, and how.

    Attributes:
        configurations: each is asked for every object.
        agrees_with: answers the first configuration's prompts too, to be compared with it.
        records: whether the decoder's four masks are judged one by one, for the first
            configuration.
        clicks: how many are given at most.
    """

    configurations: tuple[Configuration, ...]
    models_dir: Path
    agrees_with: Configuration | None = None
    records: bool = False
    clicks: int = CLICKS


@dataclass(frozen=True, slots=True)
class Step:
    """One answer: `number` clicks, or the box (number 0). Times in seconds of CPU time."""

    number: int
    iou: float
    boundary_iou: float
    score: float
    vertices: int
    decode_s: float
    outline_s: float
    agreement: float | None = None
    record: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The answers to one object under one configuration; `asked` is the most clicks it got."""

    configuration: int
    asked: int
    source: str
    picture: str
    object_id: int
    encode_s: float
    clicks: tuple[Step, ...]
    box: Step

    def after(self, clicks: int) -> Step:
        """Return the answer after that many clicks, the last one if none was needed any more."""
        return self.clicks[min(clicks, len(self.clicks)) - 1]


def run(tasks: Sequence[Task], settings: Settings, workers: int = 1) -> Iterator[list[Found]]:
    """Yield the answers picture by picture, in order; each worker computes on one thread."""
    job = functools.partial(ask_picture, settings=settings)
    if workers == 1:
        yield from map(job, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        yield from pool.map(job, tasks)


def ask_picture(task: Task, settings: Settings) -> list[Found]:
    """Return the answers for the objects of one picture, by configuration and object."""
    image, labels = task.pair.read()
    return [
        _ask(number, task, settings, image, labels == object_id, object_id)
        for number in range(len(settings.configurations))
        for object_id in task.objects
    ]


def _ask(
    number: int,
    task: Task,
    settings: Settings,
    image: protocol.Image,
    truth: protocol.Mask,
    object_id: int,
) -> Found:
    """Return one configuration's answers to one object."""
    other = settings.agrees_with if number == 0 else None
    configuration = settings.configurations[number]
    predict = _Shadow(
        Predictor(configuration, settings.models_dir),
        Predictor(other, settings.models_dir) if other else None,
        settings.records and number == 0,
    )
    predict.first.encoded.look(image)
    clicks = protocol.click_steps(predict, image, truth, settings.clicks)
    return Found(
        number,
        settings.clicks,
        task.pair.source,
        f"{task.pair.split}/{task.pair.name}",
        object_id,
        predict.first.encoded.seconds,
        tuple(predict.judge(count, step, truth) for count, step in enumerate(clicks, 1)),
        predict.judge(0, protocol.box_step(predict, image, truth, object_id), truth),
    )


class _Shadow:
    """A predictor whose every prompt is put to a second one too, and whose answers are judged."""

    def __init__(self, first: Predictor, second: Predictor | None, records: bool) -> None:  # noqa: FBT001
        self.first, self._second, self._records = first, second, records
        self._previous: Any = None
        self._agreement: float | None = None

    def __call__(self, image: Any, points: Any, labels: Any, box: Any, previous: Any) -> Answer:
        answer = self.first(image, points, labels, box, previous)
        if self._second:
            own = None if previous is None else self._previous
            other = self._second(image, points, labels, box, own)
            self._previous = other.logits
            self._agreement = protocol.iou(answer.mask, other.mask)
        return answer

    def judge(self, number: int, asked: protocol.Step, truth: protocol.Mask) -> Step:
        """Return the answer just given as figures."""
        answer = Answer(*asked.said)
        margin = self.first.configuration.box_margin
        return Step(
            number,
            protocol.iou(asked.mask, truth),
            boundary_iou(asked.mask, truth) if number < 2 else math.nan,
            answer.score,
            int(shapely.get_num_coordinates(answer.outline)),
            answer.decode_s,
            answer.outline_s,
            self._agreement,
            record(asked, truth, margin) if self._records else None,
        )


def paired(found: Sequence[Found], configurations: int) -> list[list[Found]]:
    """Return the answers of each configuration, in the same order of objects."""
    return [[one for one in found if one.configuration == k] for k in range(configurations)]


def encode_seconds(found: Sequence[Found]) -> float:
    """Return the mean CPU time of the encoder for a picture."""
    return float(np.mean(list({one.picture: one.encode_s for one in found}.values())))
