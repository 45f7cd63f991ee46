"""The graph between capture and writers: values, constants and nodes, no file format and no torch.

Everything is immutable: a pass returns a new graph.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capexport.errors import GraphError
from capexport.spec.signature import Shape, TensorSpec

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class QuantParams:
    """Symmetric int8 per channel: real = data * scale[channel], zero point 0.

    Args:
        scale: float32 [channels], positive.
        axis: axis of the data that holds the channels.
    """

    scale: Array
    axis: int = 0


@dataclass(frozen=True)
class TensorQuantization:
    """int8 or uint8 of a whole value: real = (q - zero_point) * scale, float32.

    Args:
        scale: positive, a float32 number.
        zero_point: within the value's type.
    """

    scale: float
    zero_point: int


@dataclass(frozen=True, eq=False)
class Constant:
    """A weight, and how a file stores it.

    Decided once, in compress/, so that every file format stores the same numbers.

    Args:
        quantization: gives int8 data its meaning.
        sparse: stored sparse with standard operators, unpacked when the file is opened.
        packed: stored as a CKSB blob and executed sparse by the project's kernels; int8 only, read
            by linears with dynamic activations and by embeddings alone.
    """

    name: str
    data: Array
    quantization: QuantParams | None = None
    sparse: bool = False
    packed: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> str:
        return self.data.dtype.name

    @property
    def nnz(self) -> int:
        return int(np.count_nonzero(self.data))

    def dequantized(self) -> Array:
        """The real numbers, float32, whatever the storage."""
        if self.quantization is None:
            return self.data
        channels = [1] * self.data.ndim
        channels[self.quantization.axis] = -1
        scale = self.quantization.scale.reshape(channels)
        return (self.data.astype(np.float32) * scale).astype(np.float32)


@dataclass(frozen=True)
class Node:
    """One operation of `capexport.ir.ops`; inputs name values or constants, "" omits an input."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def with_attributes(self, **attributes: Any) -> "Node":
        return replace(self, attributes={**self.attributes, **attributes})


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in execution order.

    Args:
        values: the spec of every input and every node output.
        quantization: what the numbers of a value mean; of every int8 value.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    values: Mapping[str, TensorSpec]
    constants: Mapping[str, Constant]
    quantization: Mapping[str, TensorQuantization] = field(default_factory=dict)

    def shape(self, name: str) -> Shape:
        if name in self.constants:
            return self.constants[name].shape
        return self.values[name].shape

    def dtype(self, name: str) -> str:
        if name in self.constants:
            return self.constants[name].dtype
        return self.values[name].dtype

    def producers(self) -> dict[str, Node]:
        return {name: node for node in self.nodes for name in node.outputs}

    def users(self, name: str) -> list[Node]:
        """Nodes that read `name`, one entry per reading input."""
        return [node for node in self.nodes for read in node.inputs if read == name]

    def replace_constants(self, constants: Mapping[str, Constant]) -> "Graph":
        return replace(self, constants={**self.constants, **constants})

    def check(self) -> "Graph":
        """Raise GraphError unless names are single-assignment, ordered and all defined."""
        defined = {*self.inputs, *self.constants}
        if len(defined) != len(self.inputs) + len(self.constants):
            raise self._error("an input and a constant share a name", self.name)
        for node in self.nodes:
            for name in node.inputs:
                if name and name not in defined:
                    raise self._error(f"{node.op} reads {name!r} before it is written", self.name)
            for name in node.outputs:
                if name in defined:
                    raise self._error(f"{node.op} writes {name!r} a second time", self.name)
                if name not in self.values:
                    raise self._error(f"{name!r} has no shape", self.name)
                if self.dtype(name) == "int8" and name not in self.quantization:
                    raise self._error(f"{name!r} is int8 without a scale", self.name)
                defined.add(name)
        for name in self.outputs:
            if name not in defined:
                raise self._error(f"output {name!r} is never written", self.name)
        return self

    @staticmethod
    def _error(what: str, where: str) -> GraphError:
        return GraphError(what, where=f"graph {where}", hint="this is a defect: report the model")
