"""Operators that move data along an axis, or sum over one."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from capexport.ir.graph import Node
from capexport.writers.tflite.lowering import Lowering, visits

Op = schema.BuiltinOperator


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
