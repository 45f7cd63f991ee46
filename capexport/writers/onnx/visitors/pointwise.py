"""Arithmetic, activations and products: one ONNX node per IR node."""

from capexport.ir.graph import Node
from capexport.writers.onnx.lowering import Lowering
from capexport.writers.onnx.registry import visits

ONNX_NAMES = {
    "add": "Add",
    "sub": "Sub",
    "mul": "Mul",
    "matmul": "MatMul",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
}
SOFTMAX_NAMES = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}


@visits(*ONNX_NAMES)
def _same(lowering: Lowering, node: Node) -> None:
    inputs = [lowering.read(name) for name in node.inputs]
    lowering.emitter.node(ONNX_NAMES[node.op], inputs, node.outputs)


@visits(*SOFTMAX_NAMES)
def _softmax(lowering: Lowering, node: Node) -> None:
    inputs = [lowering.read(name) for name in node.inputs]
    lowering.emitter.node(SOFTMAX_NAMES[node.op], inputs, node.outputs, axis=-1)
