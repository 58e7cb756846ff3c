"""ONNX graphs written down one node at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

Value = str | np.ndarray | float | int
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def declared(name: str, kind: int = FLOAT, shape: Sequence[int | None] = (None,)) -> ValueInfoProto:
    """Declare what goes into a graph or comes out of it; None is a length that is not known yet."""
    return helper.make_tensor_value_info(name, kind, shape)


class Graph:
    """Nodes added one by one: each call adds one and returns the name of its result.

    Inputs are names or values: numbers become float32, whole numbers int64; float16 is kept so in the file,
    where it takes half the place, and computed with as float32.

    Parameters
    ----------
    around : Graph, optional
        Of which this one is a part, as the body of a loop: it sees what that one has computed before.

    Examples
    --------
    >>> g = Graph()
    >>> g.finish("double", [declared("x")], [declared(g("Mul", "x", 2.0))]).node[0].op_type
    'Mul'
    """

    def __init__(self, around: Graph | None = None):
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._around = around
        self._names: list[str] = around._names if around else []

    def name(self, kind: str) -> str:
        """Invent a name that no other value has."""
        self._names.append(f"{kind}_{len(self._names)}")
        return self._names[-1]

    def constant(self, value: Value) -> str:
        """Return the name of a value; a name is its own."""
        if isinstance(value, str):
            return value
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        name = self.name("constant")
        # In the order in which it is read: a transposed array is not.
        self.constants.append(numpy_helper.from_array(array.copy(), name))
        return self.float(name) if array.dtype == np.float16 else name

    def __call__(self, kind: str, *inputs: Value, outputs: int = 1, **attributes: Any) -> Any:
        given = [self.constant(one) for one in inputs]
        names = [self.name(kind) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, given, names, **attributes))
        return names[0] if outputs == 1 else names

    def finish(
        self, name: str, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]
    ) -> GraphProto:
        """Make of all nodes a graph with these inputs and outputs."""
        return helper.make_graph(self.nodes, name, inputs, outputs, self.constants)

    def slice(self, x: Value, start: Value, end: Value, axis: int = 0) -> str:
        """Take a part of an axis; its ends are numbers, or names of arrays of one number."""
        start, end = (np.array([one]) if isinstance(one, int) else one for one in (start, end))
        return self("Slice", x, start, end, np.array([axis]))

    def length(self, x: Value, axis: int = 0) -> str:
        """Count along an axis: an array of one whole number."""
        return self("Shape", x, start=axis, end=axis + 1)

    def count(self, upto: str, step: int = 1) -> str:
        """Count from 0 in steps up to what an array of one whole number says."""
        return self("Range", 0, self("Squeeze", upto), step)

    def float(self, x: Value) -> str:
        """Turn whole or short numbers into float32."""
        return self("Cast", x, to=FLOAT)

    def whole(self, x: Value) -> str:
        """Turn numbers into whole ones, towards zero."""
        return self("Cast", x, to=INT64)

    def logarithm(self, x: Value, factor: float = 1.0) -> str:
        """Take the logarithm to base 10, times a factor."""
        return self("Mul", self("Log", x), factor / math.log(10))
