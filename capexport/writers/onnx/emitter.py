"""ONNX nodes and initializers under construction, with names that never collide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from capexport.errors import UnsupportedError
from capexport.ir.graph import Array

PROTOBUF_LIMIT = 2**31 - 1
STRUCTURE_BYTES = 2**24
"""Left free for everything in a file that is not weights."""


@dataclass(frozen=True)
class Step:
    """One operator of a chain: its first input is the step before, `others` are the rest."""

    op: str
    others: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


def cast(dtype: type[np.generic]) -> Step:
    """The step that converts to a numpy type."""
    return Step("Cast", (), {"to": helper.np_dtype_to_tensor_dtype(np.dtype(dtype))})


class Emitter:
    """Collects nodes in execution order. `reserved` are the names that belong to the IR graph."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._taken = set(reserved)
        self._shared: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._weight_bytes = 0

    def fresh(self, stem: str) -> str:
        """`stem`, or the first of stem.2, stem.3, ... that nothing is called yet."""
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}.{number}"
        self._taken.add(name)
        return name

    def node(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> None:
        """Append a node that writes exactly `outputs`; it is named after the first of them."""
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))

    def value(self, op: str, inputs: Sequence[str], stem: str, **attributes: Any) -> str:
        """Append a node and return the fresh name of its one output."""
        output = self.fresh(stem)
        self.node(op, inputs, (output,), **attributes)
        return output

    def chain(self, value: str, steps: Sequence[Step], output: str) -> None:
        """Send `value` through the steps in turn; the last one writes `output`."""
        for step in steps[:-1]:
            stem = f"{output}.{step.op.lower()}"
            value = self.value(step.op, (value, *step.others), stem, **step.attributes)
        last = steps[-1]
        self.node(last.op, (value, *last.others), (output,), **last.attributes)

    def initializer(self, name: str, array: Array) -> str:
        """Store `array` under a name that is already reserved or fresh.

        Raises:
            UnsupportedError: the file would pass what protobuf can hold, 2 GB.
        """
        self._weight_bytes += array.nbytes
        if self._weight_bytes > PROTOBUF_LIMIT - STRUCTURE_BYTES:
            raise UnsupportedError(
                f"more than {self._weight_bytes / 1e9:.1f} GB of weights, an ONNX file holds 2 GB",
                where=f"weight {name}",
                hint="quantize the weights or store them sparse",
            )
        self.initializers.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def shared(self, array: Array) -> str:
        """A small initializer (scalar, axes, shape), stored once per distinct content."""
        key = (array.dtype.name, array.shape, array.tobytes())
        if key not in self._shared:
            name = self.fresh(f"shared.{len(self._shared)}")
            self._shared[key] = self.initializer(name, array)
        return self._shared[key]

    def scalar(self, value: float, dtype: type[np.generic] = np.float32) -> str:
        return self.shared(np.array(value, dtype))

    def axes(self, *axes: int) -> str:
        return self.shared(np.array(axes, np.int64))
