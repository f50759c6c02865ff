"""Write a model of a few kilobytes with the real one's inputs and outputs, for tests.

It knows colours only. The encoder keeps the mean colour of every 4 x 4 pixels; the decoder
takes the colours under the prompts and answers where the picture has them. On flat-coloured
shapes that is exact to a cell of the mask grid, and it takes milliseconds.

    python tests/tiny_model.py models/tiny
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from samgis_process.inference.catalogue import DECODER, ENCODER, Manifest
from samgis_process.weights.build import describe
from samgis_process.weights.graph import Graph, Value

VERSION = "tiny/1"
FRAME, GRID, LOW_RES, WIDTH = 1024, 64, 256, 256
CELLS = LOW_RES**2
CELL = FRAME // LOW_RES  # pixels along a cell of the mask grid

# Colour distances are in the encoder's input, where 1 is one standard deviation, some 57 of
# 256 levels. The single reading, then whole, part and subpart: less and less is alike enough.
TOLERANCES = (0.5, 0.9, 0.5, 0.25)
TRUST = (0.96, 0.90, 0.93, 0.85)  # what the predicted IoU starts from
GAIN, LIMIT = 12.0, 16.0  # logits for each unit of colour distance; the largest logit
PLACE_WEIGHT = 1.0  # colour distance that the picture's whole side is worth between two points
MASK_WEIGHT = 0.02  # of the earlier mask's logits
FAR = 100.0  # a colour distance that no colour has


def write(directory: Path) -> None:
    """Write encoder, decoder and manifest into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    onnx.save(encoder(), directory / ENCODER)
    onnx.save(decoder(), directory / DECODER)
    Manifest(
        id="tiny",
        family="sam",
        recipe=hashlib.sha256(VERSION.encode()).hexdigest(),
        checkpoint_sha256="",
        files={name: describe(directory / name) for name in (ENCODER, DECODER)},
        licence="Apache-2.0",
        attribution="A test model",
        built_with={"onnx": onnx.__version__},
    ).write(directory)


def encoder() -> onnx.ModelProto:
    """Return `image` -> `tokens`: of each token's 4 x 4 cells the colours, then zeros."""
    g = Graph("encoder")
    colours = g.op("AveragePool", "image", kernel_shape=[CELL, CELL], strides=[CELL, CELL])
    split = g.reshape(colours, (3, GRID, 4, GRID, 4))
    tokens = g.reshape(g.transpose(split, (1, 3, 2, 4, 0)), (GRID**2, 48))
    g.op("Pad", tokens, np.array([0, 0, 0, WIDTH - 48]), output="tokens")
    return g.model({"image": (1, 3, FRAME, FRAME)}, {"tokens": (GRID**2, WIDTH)})


def decoder() -> onnx.ModelProto:
    """Return the decoder, of the same contract as `samgis_process.weights.decoder`."""
    g = Graph("decoder")
    label = g.op("Squeeze", "point_labels", np.array([0]))
    places = g.op("Squeeze", g.add("point_coords", np.float32(0.5)), np.array([0]))
    first, second = (corner(g, places, label, kind) for kind in (2, 3))
    has_box = any_is(g, label, 2)
    middle = g.op("Mul", g.add(first, second), np.float32(0.5))
    # The middle of the box is a point of its own; it counts where nothing else is included.
    lone_box = g.op("And", has_box, g.op("Not", any_is(g, label, 1)))
    places = g.op("Concat", places, middle, axis=0)
    included = g.op("Concat", is_kind(g, label, 1), as_row(g, lone_box), axis=0)
    excluded = g.op("Concat", is_kind(g, label, 0), as_row(g, g.constant([False])), axis=0)
    colour = colour_distance(g, cell_colours(g), places)
    logits = likeness(g, colour, included)
    logits = g.op("Min", logits, preference(g, colour, places, included, excluded))
    logits = g.op("Min", logits, inside_box(g, first, second, has_box))
    logits = g.op("Clip", logits, np.float32(-LIMIT), np.float32(LIMIT))
    logits = g.add(logits, earlier_mask(g))
    g.op("Reshape", logits, np.array([1, 4, LOW_RES, LOW_RES]), output="low_res_masks")
    predicted_iou(g, logits)
    return g.model(
        {
            "tokens": (GRID**2, WIDTH),
            "point_coords": (1, "N", 2),
            "point_labels": (1, "N"),
            "mask_input": (1, 1, LOW_RES, LOW_RES),
            "has_mask_input": (1,),
        },
        {"low_res_masks": (1, 4, LOW_RES, LOW_RES), "iou_predictions": (1, 4)},
    )


def is_kind(g: Graph, label: Value, kind: int) -> Value:
    """Return which points have a label, bool (N)."""
    return g.op("Equal", label, np.float32(kind))


def any_is(g: Graph, label: Value, kind: int) -> Value:
    """Return whether any point has it, bool (1)."""
    found = g.op("Cast", is_kind(g, label, kind), to=TensorProto.FLOAT)
    return g.op("Greater", g.op("ReduceMax", found, np.array([0]), keepdims=1), np.float32(0))


def as_row(g: Graph, flag: Value) -> Value:
    return g.op("Reshape", flag, np.array([1]))


def corner(g: Graph, places: Value, label: Value, kind: int) -> Value:
    """Return the point with a label, (1, 2), the origin where there is none."""
    weight = g.op("Cast", is_kind(g, label, kind), to=TensorProto.FLOAT)
    weighted = g.op("Mul", places, g.op("Unsqueeze", weight, np.array([1])))
    return g.op("ReduceMax", weighted, np.array([0]), keepdims=1)


def cell_colours(g: Graph) -> Value:
    """Return the colour of each cell of the mask grid, (65536, 3), rows first."""
    colours = g.reshape(g.slice("tokens", 1, 0, 48), (GRID, GRID, 4, 4, 3))
    return g.reshape(g.transpose(colours, (0, 2, 1, 3, 4)), (CELLS, 3))


def colour_distance(g: Graph, colours: Value, places: Value) -> Value:
    """Return how far each cell's colour is from that under each point, (N, 65536)."""
    cell = g.op("Floor", g.op("Mul", places, np.float32(1 / CELL)))
    cell = g.op("Clip", cell, np.float32(0), np.float32(LOW_RES - 1))
    index = g.op("MatMul", cell, np.array([1, LOW_RES], np.float32))
    own = g.op("Gather", colours, g.op("Cast", index, to=TensorProto.INT64), axis=0)
    return distance(g, own, colours)


def distance(g: Graph, rows: Value, others: Value) -> Value:
    """Return the distances of (N, d) to (M, d), as (N, M)."""
    axis = np.array([1])
    near = g.op("ReduceSumSquare", rows, axis, keepdims=1)
    far = g.op("Transpose", g.op("ReduceSumSquare", others, axis, keepdims=1), perm=[1, 0])
    both = g.op("Mul", g.gemm(rows, others, turn_b=True), np.float32(-2))
    return g.op("Sqrt", g.op("Relu", g.add(g.add(near, far), both)))


def nearest(g: Graph, distances: Value, chosen: Value) -> Value:
    """Return each cell's distance to the nearest of the chosen points, (1, 65536)."""
    kept = g.op("Where", g.op("Unsqueeze", chosen, np.array([1])), distances, np.float32(FAR))
    return g.op("ReduceMin", kept, np.array([0]), keepdims=1)


def likeness(g: Graph, colour: Value, included: Value) -> Value:
    """Return logits (4, 65536): positive where the colour is within each mask's tolerance."""
    tolerance = np.array(TOLERANCES, np.float32)[:, None]
    spare = g.op("Sub", tolerance, nearest(g, colour, included))
    return g.op("Mul", spare, np.float32(GAIN))


def preference(g: Graph, colour: Value, places: Value, included: Value, excluded: Value) -> Value:
    """Return logits (1, 65536): positive where included points are nearer than excluded ones.

    Nearer in colour; among equal colours, in place.
    """
    away = g.op("Mul", distance(g, places, centres(g)), np.float32(PLACE_WEIGHT / FRAME))
    both = g.add(colour, away)
    lead = g.op("Sub", nearest(g, both, excluded), nearest(g, both, included))
    return g.op("Mul", lead, np.float32(GAIN))


def inside_box(g: Graph, first: Value, second: Value, has_box: Value) -> Value:
    """Return logits (1, 65536): positive inside the box, everywhere where there is none."""
    cells = centres(g)
    room = g.op("Min", g.op("Sub", cells, first), g.op("Sub", second, cells))
    margin = g.op("ReduceMin", room, np.array([1]), keepdims=0)
    return g.op("Where", has_box, g.op("Unsqueeze", margin, np.array([0])), np.float32(LIMIT))


def centres(g: Graph) -> Value:
    """Return the cells' centres in the input frame, (65536, 2), x and y; not stored as such."""
    along = (np.arange(LOW_RES, dtype=np.float32) + 0.5) * CELL
    shape = np.array([LOW_RES, LOW_RES])
    columns, rows = (g.op("Expand", steps, shape) for steps in (along[None], along[:, None]))
    return g.op("Concat", g.reshape(columns, (-1, 1)), g.reshape(rows, (-1, 1)), axis=1)


def earlier_mask(g: Graph) -> Value:
    """Return a little of `mask_input`, (1, 65536), zero where there is none."""
    mask = g.op("Clip", "mask_input", np.float32(-32), np.float32(32))
    weight = g.op("Mul", "has_mask_input", np.float32(MASK_WEIGHT))
    return g.reshape(g.op("Mul", mask, weight), (1, CELLS))


def predicted_iou(g: Graph, logits: Value) -> None:
    """Give `iou_predictions`: the share of the mask that is sure, times how it is trusted."""
    areas = [
        g.op(
            "ReduceSum",
            g.op("Cast", g.op("Greater", logits, np.float32(bar)), to=TensorProto.FLOAT),
            np.array([1]),
            keepdims=0,
        )
        for bar in (1, -1)
    ]
    sure = g.op("Div", areas[0], g.op("Max", areas[1], np.float32(1)))
    trusted = g.op("Mul", sure, np.array(TRUST, np.float32))
    g.op("Unsqueeze", trusted, np.array([0]), output="iou_predictions")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
