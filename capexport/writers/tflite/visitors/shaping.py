"""Operators that move data along axes, or sum over some."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from capexport.ir.graph import Node
from capexport.writers.tflite.lowering import Lowering, visits

Op = schema.BuiltinOperator
PIECES = range(2, 5)
"""Outputs of a SPLIT that XNNPACK takes: one is no split to it either."""


@visits("sum")
def _sum(lowering: Lowering, node: Node) -> None:
    axes = lowering.model.parameter([node.attributes["axis"]])
    inputs = [lowering.tensor(node.inputs[0]), axes]
    outputs = [lowering.tensor(node.outputs[0])]
    lowering.model.operator(Op.SUM, inputs, outputs, "ReducerOptions", keepDims=False)


@visits("mean")
def _mean(lowering: Lowering, node: Node) -> None:
    axes = lowering.model.parameter(node.attributes["axes"])
    inputs = [lowering.tensor(node.inputs[0]), axes]
    outputs = [lowering.tensor(node.outputs[0])]
    keep = node.attributes["keep"]
    lowering.model.operator(Op.MEAN, inputs, outputs, "ReducerOptions", keepDims=keep)


@visits("concat")
def _concat(lowering: Lowering, node: Node) -> None:
    inputs = [lowering.operand(node, name) for name in node.inputs]
    outputs = [lowering.tensor(node.outputs[0])]
    axis = node.attributes["axis"]
    lowering.model.operator(Op.CONCATENATION, inputs, outputs, "ConcatenationOptions", axis=axis)


@visits("split")
def _split(lowering: Lowering, node: Node) -> None:
    axis, parts = node.attributes["axis"], node.attributes["parts"]
    if parts not in PIECES:
        _split_by_slices(lowering, node)
        return
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
    _reshape(lowering, node)


@visits("reshape")
def _reshape(lowering: Lowering, node: Node) -> None:
    """RESHAPE takes one free axis, -1."""
    shape = lowering.graph.shape(node.outputs[0])
    target = [-1 if isinstance(d, str) else d for d in shape]
    inputs = [lowering.tensor(node.inputs[0]), lowering.model.parameter(target)]
    options = {"newShape": np.array(target, np.int32)}
    outputs = [lowering.tensor(node.outputs[0])]
    lowering.model.operator(Op.RESHAPE, inputs, outputs, "ReshapeOptions", **options)


def _split_by_slices(lowering: Lowering, node: Node) -> None:
    axis, source = node.attributes["axis"], node.inputs[0]
    for i, output in enumerate(node.outputs):
        piece = lowering.graph.shape(output)[axis]
        assert isinstance(piece, int)
        _write_slice(lowering, source, output, axis, i * piece, (i + 1) * piece)


@visits("slice")
def _slice(lowering: Lowering, node: Node) -> None:
    axis, start, stop = (node.attributes[name] for name in ("axis", "start", "stop"))
    _write_slice(lowering, node.inputs[0], node.outputs[0], axis, start, stop)


def _write_slice(
    lowering: Lowering, source: str, output: str, axis: int, start: int, stop: int
) -> None:
    """STRIDED_SLICE, as its masks leave the other axes whole: SLICE wants every length."""
    rank = len(lowering.graph.shape(source))
    whole = sum(1 << other for other in range(rank) if other != axis)
    bounds = [[number * (other == axis) for other in range(rank)] for number in (start, stop)]
    parameters = [lowering.model.parameter(numbers) for numbers in (*bounds, [1] * rank)]
    inputs, outputs = [lowering.tensor(source), *parameters], [lowering.tensor(output)]
    lowering.model.operator(
        Op.STRIDED_SLICE, inputs, outputs, "StridedSliceOptions", beginMask=whole, endMask=whole
    )


@visits("transpose")
def _transpose(lowering: Lowering, node: Node) -> None:
    order = lowering.model.parameter(node.attributes["order"])
    inputs = [lowering.float_tensor(node.inputs[0]), order]
    outputs = [lowering.tensor(node.outputs[0])]
    lowering.model.operator(Op.TRANSPOSE, inputs, outputs, "TransposeOptions")


@visits("pad")
def _pad(lowering: Lowering, node: Node) -> None:
    x, output = lowering.tensor(node.inputs[0]), lowering.tensor(node.outputs[0])
    lowering.pad(x, output, node.attributes["padding"], node.attributes["value"])
