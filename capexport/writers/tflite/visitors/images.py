"""Windows over images [n, h, w, c]: CONV_2D, DEPTHWISE_CONV_2D, MAX_POOL_2D, AVERAGE_POOL_2D.

TFLite knows two paddings. SAME is as little as gives ceil(length / stride) windows, the odd element
after; VALID is none. Any other padding is an operator in front.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from capexport.errors import GraphError, UnsupportedError
from capexport.ir.graph import Constant, Graph, Node, QuantParams
from capexport.ir.ops import NONE, RELU, RELU6
from capexport.ir.windows import CHANNELS_LAST
from capexport.spec.signature import Shape, TensorSpec
from capexport.writers.tflite.lowering import Lowering, visits

Op = schema.BuiltinOperator
Activation = schema.ActivationFunctionType
ACTIVATIONS = {NONE: Activation.NONE, RELU: Activation.RELU, RELU6: Activation.RELU6}
SAME: int = schema.Padding.SAME
VALID: int = schema.Padding.VALID
LOWEST = float(np.finfo(np.float32).min)


@visits("conv2d")
def _conv2d(lowering: Lowering, node: Node) -> None:
    x, weight, *bias = node.inputs
    constant = lowering.graph.constants.get(weight)
    if constant is None:
        raise _error(lowering, node, "the weight of a convolution is computed")
    channels = lowering.graph.shape(x)[CHANNELS_LAST]
    groups = node.attributes["groups"]
    is_depthwise = groups == channels and groups > 1
    source, padding = _padded(lowering, node, constant.shape[2:], 0)
    moved = _depthwise(constant) if is_depthwise else _dense(constant)
    static = lowering.is_static(node)
    inputs = [
        source,
        lowering.stored(moved) if static else lowering.float_stored(moved),
        lowering.operand(node, bias[0]) if bias else _zeros(lowering, constant.shape[0]),
    ]
    options: dict[str, Any] = {
        "padding": padding,
        "strideH": node.attributes["stride"][0],
        "strideW": node.attributes["stride"][1],
        "fusedActivationFunction": ACTIVATIONS[node.attributes["activation"]],
        "dilationHFactor": 1,
        "dilationWFactor": 1,
    }
    code, table = Op.CONV_2D, "Conv2DOptions"
    if is_depthwise:
        code, table = Op.DEPTHWISE_CONV_2D, "DepthwiseConv2DOptions"
        options["depthMultiplier"] = constant.shape[0] // groups
    lowering.model.operator(code, inputs, [lowering.tensor(node.outputs[0])], table, **options)


def _dense(constant: Constant) -> Constant:
    """[out, in, h, w] -> [out, h, w, in]."""
    return _moved(constant, "ohwi", (0, 2, 3, 1))


def _depthwise(constant: Constant) -> Constant:
    """[out, 1, h, w] -> [1, h, w, out]."""
    return _moved(constant, "1hwo", (1, 2, 3, 0))


def _moved(constant: Constant, suffix: str, order: tuple[int, ...]) -> Constant:
    quantization = constant.quantization
    if quantization is not None:
        quantization = QuantParams(quantization.scale, order.index(quantization.axis))
    data = np.ascontiguousarray(constant.data.transpose(order))
    return Constant(f"{constant.name}.{suffix}", data, quantization)


def _zeros(lowering: Lowering, length: int) -> int:
    """A bias: XNNPACK does not take a convolution without one."""
    return lowering.stored(Constant(f"zeros.{length}", np.zeros(length, np.float32)))


@visits("max_pool2d")
def _max_pool2d(lowering: Lowering, node: Node) -> None:
    """Padding must not win: zeros do not where no number is below them."""
    fill = 0.0 if is_non_negative(lowering.graph, node.inputs[0]) else LOWEST
    source, padding = _padded(lowering, node, node.attributes["window"], fill)
    _pool(lowering, node, Op.MAX_POOL_2D, source, padding)


@visits("avg_pool2d")
def _avg_pool2d(lowering: Lowering, node: Node) -> None:
    padding = _named_padding(lowering.graph.shape(node.inputs[0]), node, node.attributes["window"])
    if padding is None:
        raise UnsupportedError(
            f"an average over {node.attributes['padding']} that does not count its padding",
            where=f"{lowering.graph.name}: {node.outputs[0]}",
            hint="count the padding, or write ONNX only",
        )
    _pool(lowering, node, Op.AVERAGE_POOL_2D, lowering.tensor(node.inputs[0]), padding)


def _pool(lowering: Lowering, node: Node, code: int, source: int, padding: int) -> None:
    lowering.model.operator(
        code,
        [source],
        [lowering.tensor(node.outputs[0])],
        "Pool2DOptions",
        padding=padding,
        filterHeight=node.attributes["window"][0],
        filterWidth=node.attributes["window"][1],
        strideH=node.attributes["stride"][0],
        strideW=node.attributes["stride"][1],
    )


# ------------------------------------------------------------ padding
def _padded(lowering: Lowering, node: Node, window: Sequence[int], fill: float) -> tuple[int, int]:
    """Tensor to read and padding to name: SAME or VALID, after an operator where neither fits."""
    x = node.inputs[0]
    shape = lowering.graph.shape(x)
    named = _named_padding(shape, node, window)
    if named is not None:
        return lowering.tensor(x), named
    edges = ((0, 0), *node.attributes["padding"], (0, 0))
    lengths: Shape = tuple(
        d if isinstance(d, str) else d + sum(ends) for d, ends in zip(shape, edges, strict=True)
    )
    name = f"{node.outputs[0]}.padded"
    spec = TensorSpec(name, lengths, lowering.graph.dtype(x))
    output = lowering.model.value(spec, lowering.graph.quantization.get(x))
    lowering.pad(lowering.tensor(x), output, edges, fill)
    return output, VALID


def _named_padding(x: Shape, node: Node, window: Sequence[int]) -> int | None:
    if node.attributes["channel_axis"] != CHANNELS_LAST:
        raise GraphError(
            "windows over channels first",
            where=node.outputs[0],
            hint="run capexport.ir.passes.channels_last first",
        )
    lengths = [d for d in x[1:3] if isinstance(d, int)]
    axes = list(zip(lengths, window, node.attributes["stride"], strict=True))
    read = tuple(
        (before, _read_after(axis, before, after))
        for axis, (before, after) in zip(axes, node.attributes["padding"], strict=True)
    )
    if not any(map(any, read)):
        return VALID
    return SAME if read == tuple(_same_padding(*axis) for axis in axes) else None


def _read_after(axis: tuple[int, int, int], before: int, after: int) -> int:
    """How much of the padding after an axis is in a window: a stride can leave the end out."""
    length, window, stride = axis
    windows = (length + before + after - window) // stride + 1
    return max((windows - 1) * stride + window - length - before, 0)


def _same_padding(length: int, window: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME: https://www.tensorflow.org/api_docs/python/tf/nn (notes on padding)."""
    total = max((-(-length // stride) - 1) * stride + window - length, 0)
    return total // 2, total - total // 2


def is_non_negative(graph: Graph, name: str) -> bool:
    """Whether a value cannot be below 0, as far as the operators before it tell."""
    if name in graph.quantization:
        return graph.quantization[name].zero_point == np.iinfo(graph.dtype(name)).min
    node = graph.producers().get(name)
    if node is None:
        return False
    if node.op in ("max_pool2d", "avg_pool2d", "concat", "reshape", "transpose"):
        return all(is_non_negative(graph, source) for source in node.inputs)
    return node.op in (RELU, RELU6) or node.attributes.get("activation") in (RELU, RELU6)


def _error(lowering: Lowering, node: Node, what: str) -> GraphError:
    where = f"{lowering.graph.name}: {node.outputs[0]}"
    return GraphError(what, where=where, hint="this is a defect: report the model")
