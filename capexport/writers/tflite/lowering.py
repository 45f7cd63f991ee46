"""One graph under way into a .tflite, and the table of visitors that lower its operators."""

from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from capexport.errors import GraphError
from capexport.ir.graph import Constant, Graph, Node, QuantParams
from capexport.spec.signature import TensorSpec
from capexport.writers.tflite.model import TfliteModel

Op = schema.BuiltinOperator
Edges = Sequence[tuple[int, int]]


class Lowering:
    """The graph being lowered, and the tensor of each of its values and constants so far."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.model = graph, TfliteModel(graph.name)
        self._tensors: dict[str, int] = {}

    def tensor(self, name: str) -> int:
        """Tensor of a value, or of a constant that is read as it is stored."""
        if name not in self._tensors:
            if name in self.graph.constants:
                self._tensors[name] = self._constant(self.graph.constants[name])
            else:
                meaning = self.graph.quantization.get(name)
                self._tensors[name] = self.model.value(self.graph.values[name], meaning)
        return self._tensors[name]

    def _constant(self, constant: Constant) -> int:
        """Dense in the runtime's memory; a sparse one is unpacked once, by DENSIFY."""
        if constant.packed:
            raise GraphError(
                "only linears and embeddings read packed weights",
                where=f"{self.graph.name}: {constant.name}",
                hint="store this weight dense",
            )
        if not constant.sparse:
            return self.model.constant(constant)
        stored = self.model.sparse_constant(constant)
        dense = self.model.like(stored, constant.name, constant.dtype)
        self.model.operator(Op.DENSIFY, [stored], [dense], "DensifyOptions")
        return dense

    def stored(self, constant: Constant) -> int:
        """Tensor of a constant that the graph itself does not have; one for each name."""
        if constant.name not in self._tensors:
            self._tensors[constant.name] = self.model.constant(constant)
        return self._tensors[constant.name]

    def is_static(self, node: Node) -> bool:
        """Whether a node computes in int8: it reads int8 constants as they are."""
        return node.outputs[0] in self.graph.quantization

    def operand(self, node: Node, name: str) -> int:
        """Tensor of an input of a node, in the numbers that the node computes in."""
        return self.tensor(name) if self.is_static(node) else self.float_tensor(name)

    def float_tensor(self, name: str) -> int:
        """The same as float32: an int8 constant goes through one DEQUANTIZE."""
        constant = self.graph.constants.get(name)
        if constant is None or constant.quantization is None:
            return self.tensor(name)
        return self._dequantized(name, self.tensor(name))

    def float_stored(self, constant: Constant) -> int:
        """The same of a constant that the graph itself does not have."""
        stored = self.stored(constant)
        return stored if constant.quantization is None else self._dequantized(constant.name, stored)

    def _dequantized(self, name: str, stored: int) -> int:
        key = name + ".float"
        if key not in self._tensors:
            self._tensors[key] = self.model.like(stored, key, "float32")
            self.model.operator(Op.DEQUANTIZE, [stored], [self._tensors[key]], "DequantizeOptions")
        return self._tensors[key]

    def pad(self, x: int, output: int, edges: Edges, fill: float) -> None:
        """PAD with zeros, PADV2 with anything else; `edges` is (before, after) of each axis."""
        inputs = [x, self.model.parameter(edges)]
        if fill == 0:
            self.model.operator(Op.PAD, inputs, [output], "PadOptions")
            return
        value = self.model.fill(x, fill)
        self.model.operator(Op.PADV2, [*inputs, value], [output], "PadV2Options")

    def direct_sparse(self, name: str) -> int:
        """A float CSR weight for the one operator that reads it in place."""
        key = name + ".csr"
        if key not in self._tensors:
            self._tensors[key] = self.model.sparse_constant(self.graph.constants[name])
        return self._tensors[key]

    def finish(self) -> bytes:
        if self.model.has_sparse_int8_linear and not self.model.has_int8_embedding:
            self._refuse_old_runtimes()
        inputs = {name: self.tensor(name) for name in self.graph.inputs}
        outputs = {name: self.tensor(name) for name in self.graph.outputs}
        return self.model.serialize(inputs, outputs)

    def _refuse_old_runtimes(self) -> None:
        """Add a lookup that nothing reads, so that tflite-runtime 2.14 refuses the file.

        It would open a sparse int8 FULLY_CONNECTED and answer all zeros, without a word. It
        refuses an EMBEDDING_LOOKUP of an int8 table with a scale per row.
        """
        data, scale = np.zeros((2, 1), np.int8), np.ones(2, np.float32)
        table = self.model.constant(Constant("guard.table", data, QuantParams(scale)))
        output = self.model.value(TensorSpec("guard.output", (1, 1)))
        self.model.operator(Op.EMBEDDING_LOOKUP, [self.model.parameter([0]), table], [output])


Visitor = Callable[[Lowering, Node], None]
VISITORS: dict[str, Visitor] = {}


def visits(op: str) -> Callable[[Visitor], Visitor]:
    """Register the visitor of an IR operator."""

    def register(visitor: Visitor) -> Visitor:
        VISITORS[op] = visitor
        return visitor

    return register
