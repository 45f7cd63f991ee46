"""Operators that work along one named axis: sum, concat, split, unsqueeze."""

from capexport.ir.graph import Node
from capexport.writers.onnx.lowering import Lowering
from capexport.writers.onnx.registry import visits


@visits("sum")
def _sum(lowering: Lowering, node: Node) -> None:
    emitter = lowering.emitter
    inputs = (lowering.read(node.inputs[0]), emitter.axes(node.attributes["axis"]))
    emitter.node("ReduceSum", inputs, node.outputs, keepdims=0)


@visits("unsqueeze")
def _unsqueeze(lowering: Lowering, node: Node) -> None:
    emitter = lowering.emitter
    inputs = (lowering.read(node.inputs[0]), emitter.axes(node.attributes["axis"]))
    emitter.node("Unsqueeze", inputs, node.outputs)


@visits("concat")
def _concat(lowering: Lowering, node: Node) -> None:
    inputs = [lowering.read(name) for name in node.inputs]
    lowering.emitter.node("Concat", inputs, node.outputs, axis=node.attributes["axis"])


@visits("split")
def _split(lowering: Lowering, node: Node) -> None:
    axis, parts = node.attributes["axis"], node.attributes["parts"]
    inputs = (lowering.read(node.inputs[0]),)
    lowering.emitter.node("Split", inputs, node.outputs, axis=axis, num_outputs=parts)
