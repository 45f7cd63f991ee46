"""IR node -> TFLite operators, one function per IR operator.

Every lowering works for any length of the named axes: no shape is written into the file.
"""

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from capexport.errors import GraphError
from capexport.ir.graph import Constant, Graph, Node, QuantParams
from capexport.ir.ops import DYNAMIC
from capexport.spec.signature import TensorSpec
from capexport.writers.tflite.model import OMITTED, TfliteModel

Op = schema.BuiltinOperator
Activation = schema.ActivationFunctionType


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
                self._tensors[name] = self.model.value(self.graph.values[name])
        return self._tensors[name]

    def _constant(self, constant: Constant) -> int:
        """Dense in the runtime's memory; a sparse one is unpacked once, by DENSIFY."""
        if not constant.sparse:
            return self.model.constant(constant)
        stored = self.model.sparse_constant(constant)
        dense = self.model.like(stored, constant.name, constant.dtype)
        self.model.operator(Op.DENSIFY, [stored], [dense], "DensifyOptions")
        return dense

    def float_tensor(self, name: str) -> int:
        """The same as float32: an int8 constant goes through one DEQUANTIZE."""
        constant = self.graph.constants.get(name)
        if constant is None or constant.quantization is None:
            return self.tensor(name)
        key = name + ".float"
        if key not in self._tensors:
            stored = self.tensor(name)
            self._tensors[key] = self.model.like(stored, key, "float32")
            self.model.operator(Op.DEQUANTIZE, [stored], [self._tensors[key]], "DequantizeOptions")
        return self._tensors[key]

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

        It would open a sparse int8 FULLY_CONNECTED and answer all zeros, without a word. It refuses an
        EMBEDDING_LOOKUP of an int8 table with a scale per row.
        """
        data, scale = np.zeros((2, 1), np.int8), np.ones(2, np.float32)
        table = self.model.constant(Constant("guard.table", data, QuantParams(scale)))
        output = self.model.value(TensorSpec("guard.output", (1, 1)))
        self.model.operator(Op.EMBEDDING_LOOKUP, [self.model.parameter([0]), table], [output])


Visitor = Callable[[Lowering, Node], None]
VISITORS: dict[str, Visitor] = {}


def visits(op: str) -> Callable[[Visitor], Visitor]:
    def register(visitor: Visitor) -> Visitor:
        VISITORS[op] = visitor
        return visitor

    return register


def _plain(code: int, options: str | None = None, **fields: object) -> Visitor:
    """An operator that takes the node's inputs as they are."""

    def visitor(lowering: Lowering, node: Node) -> None:
        inputs = [lowering.float_tensor(name) for name in node.inputs]
        outputs = [lowering.tensor(name) for name in node.outputs]
        lowering.model.operator(code, inputs, outputs, options, **fields)

    return visitor


VISITORS["add"] = _plain(Op.ADD, "AddOptions")
VISITORS["sub"] = _plain(Op.SUB, "SubOptions")
VISITORS["mul"] = _plain(Op.MUL, "MulOptions")
VISITORS["relu"] = _plain(Op.RELU)
VISITORS["sigmoid"] = _plain(Op.LOGISTIC)
VISITORS["tanh"] = _plain(Op.TANH)
VISITORS["softmax"] = _plain(Op.SOFTMAX, "SoftmaxOptions", beta=1.0)
VISITORS["log_softmax"] = _plain(Op.LOG_SOFTMAX, "LogSoftmaxOptions")
VISITORS["matmul"] = _plain(Op.BATCH_MATMUL, "BatchMatMulOptions")


@visits("linear")
def _linear(lowering: Lowering, node: Node) -> None:
    x, weight, *bias = node.inputs
    constant = lowering.graph.constants.get(weight)
    if constant is None:
        raise GraphError(
            "the weight of a linear is computed",
            where=f"{lowering.graph.name}: {node.outputs[0]}",
            hint="use matmul for a product of two values",
        )
    dynamic = node.attributes["activations"] == DYNAMIC
    inputs = [
        lowering.tensor(x),
        _weight_tensor(lowering, constant, dynamic),
        lowering.float_tensor(bias[0]) if bias else OMITTED,
    ]
    relu = node.attributes["relu"]
    lowering.model.operator(
        Op.FULLY_CONNECTED,
        inputs,
        [lowering.tensor(node.outputs[0])],
        "FullyConnectedOptions",
        fusedActivationFunction=Activation.RELU if relu else Activation.NONE,
        keepNumDims=len(lowering.graph.shape(x)) > 2,
        asymmetricQuantizeInputs=dynamic,
    )


def _weight_tensor(lowering: Lowering, constant: Constant, dynamic: bool) -> int:
    if dynamic:
        return lowering.tensor(constant.name)
    if constant.sparse and constant.quantization is None:
        return lowering.direct_sparse(constant.name)
    return lowering.float_tensor(constant.name)


@visits("embedding")
def _embedding(lowering: Lowering, node: Node) -> None:
    table, ids = node.inputs
    inputs = [lowering.tensor(ids), lowering.tensor(table)]
    lowering.model.operator(Op.EMBEDDING_LOOKUP, inputs, [lowering.tensor(node.outputs[0])])


@visits("sum")
def _sum(lowering: Lowering, node: Node) -> None:
    axes = lowering.model.parameter([node.attributes["axis"]])
    inputs = [lowering.tensor(node.inputs[0]), axes]
    outputs = [lowering.tensor(node.outputs[0])]
    lowering.model.operator(Op.SUM, inputs, outputs, "ReducerOptions", keepDims=False)


@visits("concat")
def _concat(lowering: Lowering, node: Node) -> None:
    inputs = [lowering.float_tensor(name) for name in node.inputs]
    outputs = [lowering.tensor(node.outputs[0])]
    axis = node.attributes["axis"]
    lowering.model.operator(Op.CONCATENATION, inputs, outputs, "ConcatenationOptions", axis=axis)


@visits("split")
def _split(lowering: Lowering, node: Node) -> None:
    axis, parts = node.attributes["axis"], node.attributes["parts"]
    inputs = [lowering.model.parameter(axis), lowering.tensor(node.inputs[0])]
    outputs = [lowering.tensor(name) for name in node.outputs]
    lowering.model.operator(Op.SPLIT, inputs, outputs, "SplitOptions", numSplits=parts)


@visits("unsqueeze")
def _unsqueeze(lowering: Lowering, node: Node) -> None:
    """RESHAPE with at most one free axis: XNNPACK takes it, but not EXPAND_DIMS."""
    shape = lowering.graph.shape(node.outputs[0])
    source, output = lowering.tensor(node.inputs[0]), lowering.tensor(node.outputs[0])
    if sum(isinstance(d, str) for d in shape) > 1:
        axis = lowering.model.parameter(node.attributes["axis"])
        lowering.model.operator(Op.EXPAND_DIMS, [source, axis], [output], "ExpandDimsOptions")
        return
    target = [-1 if isinstance(d, str) else d for d in shape]
    inputs = [source, lowering.model.parameter(target)]
    options = {"newShape": np.array(target, np.int32)}
    lowering.model.operator(Op.RESHAPE, inputs, [output], "ReshapeOptions", **options)
