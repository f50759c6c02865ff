"""Ask for every landform in every rendering, by the protocol of the pictures' evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from models.evaluation import protocol
from models.evaluation.landforms.renderings import picture
from models.evaluation.landforms.rows import Row
from models.evaluation.landforms.scene import Scene


def run(
    scenes: Iterable[Scene], renderings: Sequence[str], predict: protocol.Predict
) -> Iterator[list[Row]]:
    """Yield the answers of one window in all renderings."""
    for scene in scenes:
        yield [row for name in renderings for row in measure(scene, name, predict)]


def measure(scene: Scene, rendering: str, predict: protocol.Predict) -> list[Row]:
    """Return what one rendering of a window came to, a row for each landform."""
    image = picture(scene, rendering)
    rows = []
    for number in scene.asked:
        found = protocol.run_object(predict, image, scene.labels == number, number)
        kind = scene.kinds[number - 1]
        rows.append(Row(rendering, scene.name, scene.origin, kind, number, **found))
    return rows
