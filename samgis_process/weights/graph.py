"""Write ONNX graphs as functions of values: a thin layer over `onnx.helper`.

A value is the name of a tensor in the graph. Arrays given as inputs become constants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 23  # the first with Attention
IR_VERSION = 10

Array = NDArray[Any]
Value = str
Operand = Value | Array | np.generic  # what is no value becomes a constant
Values = tuple[Value, ...]
Shape = Sequence[int | str]

_SHARED_ELEMENTS = 65_536  # equal constants up to this size are stored once


class Graph:
    """A graph in the making; each method adds nodes and returns the value they give.

    Args:
        name: prefix of all names, so that a branch's names differ from its surroundings'.
        outer: the graph that this one is inside of, which keeps the constants of both.
    """

    def __init__(self, name: str, outer: Graph | None = None) -> None:
        self.name = name
        self.outer = outer
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._shared: dict[tuple[str, tuple[int, ...], bytes], Value] = {}

    def constant(self, array: ArrayLike) -> Value:
        """Return `array` as a value; float64 becomes float32."""
        if self.outer:
            return self.outer.constant(array)
        array = np.array(array, order="C")
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        if array.size > _SHARED_ELEMENTS:
            return self._store(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._shared:
            self._shared[key] = self._store(array)
        return self._shared[key]

    def op(self, kind: str, *inputs: Operand, output: str = "", **attributes: Any) -> Value:
        """Return the value of one operator of the ONNX standard.

        Args:
            output: the value's name, where it is an output of the graph.
        """
        result = output or f"{self.name}/{kind}_{len(self.nodes)}"
        return self.ops(kind, *inputs, outputs=(result,), **attributes)[0]

    def ops(self, kind: str, *inputs: Operand, outputs: Values, **attributes: Any) -> Values:
        """Return the values of an operator that gives several, called `outputs`."""
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        node = helper.make_node(kind, names, outputs, name=outputs[0], **attributes)
        self.nodes.append(node)
        return outputs

    def add(self, a: Operand, b: Operand) -> Value:
        """Return a + b."""
        return self.op("Add", a, b)

    def matmul(self, a: Operand, b: Operand) -> Value:
        """Return a @ b."""
        return self.op("MatMul", a, b)

    def gemm(
        self,
        a: Operand,
        b: Operand,
        c: Operand = "",
        *,
        turn_a: bool = False,
        turn_b: bool = False,
    ) -> Value:
        """Return a @ b + c of two matrices, each transposed first where asked for."""
        inputs = (a, b) if isinstance(c, str) and not c else (a, b, c)
        turns = {"transA": turn_a, "transB": turn_b}
        turned: dict[str, Any] = {name: 1 for name, asked in turns.items() if asked}
        return self.op("Gemm", *inputs, **turned)

    def linear(self, x: Value, weight: Array, bias: Array) -> Value:
        """Return a linear layer; `x` (rows, inputs), `weight` (outputs, inputs) as in PyTorch."""
        return self.gemm(x, weight.T, bias)

    def layer_norm(self, x: Value, w: Mapping[str, Array], eps: float) -> Value:
        """Return `x` normalised along its last axis."""
        return self.op("LayerNormalization", x, w["weight"], w["bias"], axis=-1, epsilon=eps)

    def reshape(self, x: Value, shape: Sequence[int]) -> Value:
        """Return `x` in another shape; -1 once, for what remains."""
        return self.op("Reshape", x, np.array(shape, np.int64))

    def transpose(self, x: Value, axes: Sequence[int]) -> Value:
        """Return `x` with its axes in another order."""
        return self.op("Transpose", x, perm=list(axes))

    def slice(self, x: Value, axis: int, start: int, stop: int) -> Value:
        """Return `x[start:stop]` along an axis."""
        return self.op("Slice", x, *(np.array([n], np.int64) for n in (start, stop, axis)))

    def either(
        self,
        condition: Value,
        yes: Callable[[Graph], Value | Values],
        no: Callable[[Graph], Value | Values],
    ) -> Values:
        """Return the values of one of two branches, chosen when the graph runs.

        Args:
            yes: adds its operators to the graph it is given, and may use values of this one.
            no: the same; gives as many values.
        """
        name = f"{self.name}/If_{len(self.nodes)}"
        branches = [Graph(f"{name}/{answer}", self) for answer in ("yes", "no")]
        then, otherwise = (
            branch.inner([], _values(write(branch)))
            for branch, write in zip(branches, (yes, no), strict=True)
        )
        outputs = tuple(f"{name}/{number}" for number in range(len(then.output)))
        return self.ops("If", condition, outputs=outputs, then_branch=then, else_branch=otherwise)

    def in_parts(self, stacks: Sequence[Value], layer: Callable[..., Value | Values]) -> Values:
        """Return what `layer` makes of one part of each stack after the other, stacked.

        Values between the operators of `layer` are then small enough to stay in the processor's
        cache, which takes a tenth to a third less time than whole ones, and less memory.

        Args:
            stacks: values whose first axis counts the parts.
            layer: adds the operators for one part to the graph it is given.
        """
        body = Graph(f"{self.name}/Scan_{len(self.nodes)}", self)
        parts = tuple(f"{body.name}/part_{number}" for number in range(len(stacks)))
        results = _values(layer(body, *parts))
        outputs = tuple(f"{body.name}/{number}" for number in range(len(results)))
        inner = body.inner(parts, results)
        return self.ops("Scan", *stacks, outputs=outputs, body=inner, num_scan_inputs=len(stacks))

    def inner(self, inputs: Sequence[Value], outputs: Sequence[Value]) -> onnx.GraphProto:
        """Return the graph as one inside another; all inputs and outputs are float32."""
        given, found = (
            [helper.make_tensor_value_info(v, TensorProto.FLOAT, None) for v in values]
            for values in (inputs, outputs)
        )
        return helper.make_graph(self.nodes, self.name, given, found, self.constants)

    def model(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> onnx.ModelProto:
        """Return the checked model; all inputs and outputs are float32.

        Args:
            inputs: shapes by name; a letter stands for a length known only when run.
        """
        graph = helper.make_graph(
            self.nodes, self.name, _infos(inputs), _infos(outputs), self.constants
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="samgis_process"
        )
        onnx.checker.check_model(model)
        return model

    def _store(self, array: Array) -> Value:
        name = f"{self.name}/constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name


def under(tensors: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    """Return the tensors whose names start with `prefix.`, without it."""
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def _values(given: Value | Values) -> Values:
    return (given,) if isinstance(given, str) else given


def _infos(shapes: Mapping[str, Shape]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
        for name, shape in shapes.items()
    ]
