"""Write ONNX graphs as functions of values: a thin layer over `onnx.helper`.

A value is the name of a tensor in the graph. Arrays given as inputs become constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 20  # the first with Gelu
IR_VERSION = 10

Array = NDArray[Any]
Value = str
Operand = Value | Array | np.generic  # what is no value becomes a constant
Shape = Sequence[int | str]

_SHARED_ELEMENTS = 65_536  # equal constants up to this size are stored once


class Graph:
    """A graph in the making; each method adds nodes and returns the value they give.

    Args:
        name: prefix of all names, so that a branch's names differ from its surroundings'.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._shared: dict[tuple[str, tuple[int, ...], bytes], Value] = {}

    def constant(self, array: ArrayLike) -> Value:
        """Return `array` as a value; float64 becomes float32."""
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
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        result = output or f"{self.name}/{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [result], name=result, **attributes))
        return result

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

    def branch(self, result: Value) -> onnx.GraphProto:
        """Return the graph as a branch of If that gives `result`."""
        given = helper.make_tensor_value_info(result, TensorProto.FLOAT, None)
        return helper.make_graph(self.nodes, self.name, [], [given], self.constants)

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


def _infos(shapes: Mapping[str, Shape]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
        for name, shape in shapes.items()
    ]
