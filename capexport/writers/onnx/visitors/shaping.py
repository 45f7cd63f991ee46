"""Operators that move data along axes, or reduce them."""

import numpy as np

from capexport.ir.graph import Node
from capexport.writers.onnx.lowering import Lowering
from capexport.writers.onnx.registry import visits


@visits("sum")
def _sum(lowering: Lowering, node: Node) -> None:
    emitter = lowering.emitter
    inputs = (lowering.read(node.inputs[0]), emitter.axes(node.attributes["axis"]))
    emitter.node("ReduceSum", inputs, node.outputs, keepdims=0)


@visits("mean")
def _mean(lowering: Lowering, node: Node) -> None:
    emitter = lowering.emitter
    inputs = (lowering.read(node.inputs[0]), emitter.axes(*node.attributes["axes"]))
    emitter.node("ReduceMean", inputs, node.outputs, keepdims=int(node.attributes["keep"]))


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


@visits("slice")
def _slice(lowering: Lowering, node: Node) -> None:
    emitter = lowering.emitter
    bounds = (emitter.axes(node.attributes[name]) for name in ("start", "stop", "axis"))
    emitter.node("Slice", (lowering.read(node.inputs[0]), *bounds), node.outputs)


@visits("reshape")
def _reshape(lowering: Lowering, node: Node) -> None:
    """-1 stands for the one named axis that a reshape may have."""
    target = [-1 if isinstance(d, str) else d for d in node.attributes["shape"]]
    shape = lowering.emitter.shared(np.array(target, np.int64))
    lowering.emitter.node("Reshape", (lowering.read(node.inputs[0]), shape), node.outputs)


@visits("transpose")
def _transpose(lowering: Lowering, node: Node) -> None:
    order = list(node.attributes["order"])
    lowering.emitter.node("Transpose", (lowering.read(node.inputs[0]),), node.outputs, perm=order)


@visits("pad")
def _pad(lowering: Lowering, node: Node) -> None:
    before, after = zip(*node.attributes["padding"], strict=True)
    pads = lowering.emitter.shared(np.array([*before, *after], np.int64))
    value = lowering.emitter.scalar(node.attributes["value"])
    lowering.emitter.node("Pad", (lowering.read(node.inputs[0]), pads, value), node.outputs)
