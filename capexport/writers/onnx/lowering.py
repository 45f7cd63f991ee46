"""What a visitor sees: the IR graph, the ONNX graph so far, and the names to read things by."""

from dataclasses import dataclass, field

import numpy as np

from capexport.ir.graph import Graph
from capexport.writers.onnx.constants import ConstantStore
from capexport.writers.onnx.emitter import Emitter

UNSIGNED_SHIFT = 128
"""From int8 to uint8 numbers."""


@dataclass(frozen=True)
class QuantizedRows:
    """Names of int8 activations; real = (numbers - 128 - zero) * scale.

    Args:
        numbers: uint8 [..., k], the int8 numbers plus 128.
        scale: float32 [..., 1].
        zero: int32 [..., 1], the int8 zero point, -128..127.
    """

    numbers: str
    scale: str
    zero: str


@dataclass(frozen=True)
class Lowering:
    """One IR graph on its way to ONNX.

    Args:
        rows: lets linears of one value share its int8 form.
        dequantized: the real numbers of each static int8 value that was read.
        static: a node that computes in int8 is being written.
    """

    graph: Graph
    emitter: Emitter
    constants: ConstantStore
    rows: dict[str, QuantizedRows] = field(default_factory=dict)
    dequantized: dict[str, str] = field(default_factory=dict)
    static: bool = False

    def read(self, name: str) -> str:
        """ONNX name of a value or constant as real numbers."""
        if name in self.graph.constants:
            return self.constants.declared(name) if self.static else self.constants.real(name)
        if name not in self.graph.quantization:
            return name
        if name not in self.dequantized:
            inputs = (name, *affine(self, name))
            output = self.emitter.value("DequantizeLinear", inputs, f"{name}.real")
            self.dequantized[name] = output
        return self.dequantized[name]

    def read_transposed(self, name: str) -> str:
        """ONNX name of the real numbers of a matrix, its two axes swapped."""
        if name in self.graph.constants:
            return self.constants.real_transposed(name)
        return self.emitter.value("Transpose", (name,), f"{name}.transposed")


def affine(lowering: Lowering, name: str) -> tuple[str, str]:
    """Names of scale and zero point of an int8 or uint8 value, as uint8 numbers.

    In the file an int8 value is 128 more: onnxruntime's fast kernels on x86 multiply uint8 by int8.
    """
    meaning = lowering.graph.quantization[name]
    zero = meaning.zero_point + (UNSIGNED_SHIFT if lowering.graph.dtype(name) == "int8" else 0)
    return lowering.emitter.scalar(meaning.scale), lowering.emitter.scalar(zero, np.uint8)
