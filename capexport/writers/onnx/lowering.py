"""What a visitor sees: the IR graph, the ONNX graph so far, and the names to read things by."""

from dataclasses import dataclass, field

from capexport.ir.graph import Graph
from capexport.writers.onnx.constants import ConstantStore
from capexport.writers.onnx.emitter import Emitter


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
    """One IR graph on its way to ONNX. `rows` lets linears of one value share its int8 form."""

    graph: Graph
    emitter: Emitter
    constants: ConstantStore
    rows: dict[str, QuantizedRows] = field(default_factory=dict)

    def read(self, name: str) -> str:
        """ONNX name of a value or constant as real numbers."""
        return self.constants.real(name) if name in self.graph.constants else name

    def read_transposed(self, name: str) -> str:
        """ONNX name of the real numbers of a matrix, its two axes swapped."""
        if name in self.graph.constants:
            return self.constants.real_transposed(name)
        return self.emitter.value("Transpose", (name,), f"{name}.transposed")
