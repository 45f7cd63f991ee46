"""Arithmetic, activations, products and norms: ONNX has a node for each."""

import numpy as np

from capexport.ir.graph import Node
from capexport.writers.onnx.emitter import cast
from capexport.writers.onnx.lowering import Lowering
from capexport.writers.onnx.registry import visits

ONNX_NAMES = {
    "add": "Add",
    "sub": "Sub",
    "mul": "Mul",
    "div": "Div",
    "maximum": "Max",
    "abs": "Abs",
    "log": "Log",
    "sqrt": "Sqrt",
    "sin": "Sin",
    "cos": "Cos",
    "relu": "Relu",
    "hard_swish": "HardSwish",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
}
SOFTMAX_NAMES = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}


@visits(*ONNX_NAMES)
def _same(lowering: Lowering, node: Node) -> None:
    inputs = [lowering.read(name) for name in node.inputs]
    lowering.emitter.node(ONNX_NAMES[node.op], inputs, node.outputs)


@visits("gelu")
def _gelu(lowering: Lowering, node: Node) -> None:
    inputs = [lowering.read(name) for name in node.inputs]
    approximate = "tanh" if node.attributes["approximate"] else "none"
    lowering.emitter.node("Gelu", inputs, node.outputs, approximate=approximate)


@visits("matmul")
def _matmul(lowering: Lowering, node: Node) -> None:
    """onnxruntime takes a Transpose in front of a MatMul into the product."""
    a, b = (lowering.read(name) for name in node.inputs)
    if node.attributes.get("transposed", False):
        rank = len(lowering.graph.shape(node.inputs[1]))
        order = [*range(rank - 2), rank - 1, rank - 2]
        b = lowering.emitter.value("Transpose", (b,), f"{node.outputs[0]}.right", perm=order)
    lowering.emitter.node("MatMul", (a, b), node.outputs)


@visits("layer_norm")
def _layer_norm(lowering: Lowering, node: Node) -> None:
    inputs = [lowering.read(name) for name in node.inputs]
    epsilon = node.attributes["epsilon"]
    lowering.emitter.node("LayerNormalization", inputs, node.outputs, axis=-1, epsilon=epsilon)


@visits(*SOFTMAX_NAMES)
def _softmax(lowering: Lowering, node: Node) -> None:
    inputs = [lowering.read(name) for name in node.inputs]
    lowering.emitter.node(SOFTMAX_NAMES[node.op], inputs, node.outputs, axis=-1)


@visits("relu6")
def _relu6(lowering: Lowering, node: Node) -> None:
    limits = (lowering.emitter.scalar(0), lowering.emitter.scalar(6))
    lowering.emitter.node("Clip", (lowering.read(node.inputs[0]), *limits), node.outputs)


@visits("cast")
def _cast(lowering: Lowering, node: Node) -> None:
    lowering.emitter.chain(lowering.read(node.inputs[0]), (cast(np.float32),), node.outputs[0])
