"""Numpy meaning of a graph: slow, obvious, and the oracle for every written file.

Floats are float32 throughout, so that the oracle rounds where the runtimes round.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from capexport.errors import GraphError
from capexport.ir.graph import Array, Constant, Graph, Node
from capexport.ir.ops import DYNAMIC, RELU, RELU6
from capexport.ir.static_int8 import Quantized, int8_convolution, quantize
from capexport.ir.windows import average_pool, convolve, max_pool
from capexport.spec.signature import Shape

INT8_LOW, INT8_HIGH = -128, 127

Operand = Array | Constant | Quantized
Evaluation = Callable[..., list[Array]]
_EVALUATIONS: dict[str, Evaluation] = {}


def evaluates(*ops: str) -> Callable[[Evaluation], Evaluation]:
    """Register the numpy meaning of operators."""

    def register(function: Evaluation) -> Evaluation:
        _EVALUATIONS.update(dict.fromkeys(ops, function))
        return function

    return register


def evaluate(
    graph: Graph, inputs: Mapping[str, Array], outputs: Iterable[str] | None = None
) -> dict[str, Array]:
    """Outputs of the graph by name. `inputs` must name exactly the graph's inputs.

    Args:
        outputs: values to return in place of the graph's outputs; int8 ones as they are.
    """
    if set(inputs) != set(graph.inputs):
        raise GraphError(
            f"inputs {sorted(inputs)} given, {sorted(graph.inputs)} needed",
            where=f"graph {graph.name}",
            hint="give every input by name",
        )
    values: dict[str, Operand] = {**graph.constants}
    for name, array in inputs.items():
        meaning = graph.quantization.get(name)
        values[name] = array if meaning is None else Quantized(array, meaning)
    for node in graph.nodes:
        operands = [values[name] for name in node.inputs if name]
        values.update(evaluate_node(graph, node, operands))
    return {name: numbers(values[name]) for name in outputs or graph.outputs}


def evaluate_node(graph: Graph, node: Node, operands: Sequence[Operand]) -> dict[str, Operand]:
    """What one node writes. int8 is what real numbers give, rounded; in a convolution sums are.

    Args:
        operands: its inputs, but for those that are omitted.
    """
    meaning = graph.quantization.get(node.outputs[0])
    if meaning is not None and node.op == "conv2d":
        return {node.outputs[0]: int8_convolution(meaning, *operands, **node.attributes)}
    results = _EVALUATIONS[node.op](*operands, **node.attributes)
    if meaning is not None:
        return {node.outputs[0]: quantize(results[0], meaning)}
    return dict(zip(node.outputs, results, strict=True))


def real(operand: Operand) -> Array:
    """Float32 numbers of a value or constant."""
    return operand if isinstance(operand, np.ndarray) else operand.dequantized()


def numbers(operand: Operand) -> Array:
    """A value as it is stored."""
    return operand.data if isinstance(operand, Quantized) else real(operand)


def quantize_rows(x: Array) -> tuple[Array, Array, Array]:
    """Dynamic int8 of each row, asymmetric, bit for bit as XNNPACK's qd8 does it.

    The range always holds 0. With steps per unit s = 255 / (max - min): q = round(x * s) + zero,
    zero = round(-128 - min * s), scale = 1 / s.

    Returns:
        int32 [..., k] in -128..127, scale float32 [..., 1], zero point int32 [..., 1];
        real = (q - zero) * scale. A row of zeros (or nothing but subnormal numbers) has scale 1.
    """
    low = np.minimum(x.min(-1, keepdims=True), np.float32(0))
    high = np.maximum(x.max(-1, keepdims=True), np.float32(0))
    levels = np.float32(INT8_HIGH - INT8_LOW)
    span = np.where(high - low > levels * np.finfo(np.float32).tiny, high - low, levels)
    steps_per_unit = levels / span
    zero = np.clip(np.rint(INT8_LOW - low * steps_per_unit), INT8_LOW, INT8_HIGH)
    quantized = np.clip(np.rint(x * steps_per_unit) + zero, INT8_LOW, INT8_HIGH)
    return quantized.astype(np.int32), np.float32(1) / steps_per_unit, zero.astype(np.int32)


@evaluates("linear")
def _linear(
    x: Operand, weight: Operand, bias: Operand | None = None, *, activations: str, relu: bool
) -> list[Array]:
    offset = np.float32(0) if bias is None else real(bias)
    if activations == DYNAMIC:
        y = _dynamic_linear(real(x), weight, offset)
    else:
        y = real(x) @ real(weight).T + offset
    return [np.maximum(y, np.float32(0)) if relu else y]


def _dynamic_linear(x: Array, weight: Operand, bias: Array | np.float32) -> Array:
    """int8 activations times int8 weights, exact in int64, then scaled back as XNNPACK does it.

    The row's scale rounds to float32; the weight's scale and the bias are one fused multiply-add,
    which rounds once: here in double, where the product of two float32 is exact.
    """
    if not isinstance(weight, Constant) or weight.quantization is None:
        raise GraphError(
            "dynamic activations meet a float weight",
            where="linear",
            hint="quantize the weight first",
        )
    quantized, scale, zero = quantize_rows(x)
    exact = (quantized - zero).astype(np.int64) @ weight.data.T.astype(np.int64)
    scaled = (exact.astype(np.float32) * scale).astype(np.float64)
    return (scaled * weight.quantization.scale + bias).astype(np.float32)


ELEMENTWISE: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "maximum": np.maximum,
    "abs": np.abs,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
}


def _elementwise(function: Callable[..., Array]) -> Evaluation:
    return lambda *operands: [function(*map(real, operands))]


_EVALUATIONS.update({op: _elementwise(function) for op, function in ELEMENTWISE.items()})


@evaluates("embedding")
def _embedding(table: Operand, ids: Array) -> list[Array]:
    return [real(table)[ids]]


@evaluates("matmul")
def _matmul(a: Operand, b: Operand, *, transposed: bool = False) -> list[Array]:
    right = real(b)
    return [real(a) @ (right.swapaxes(-1, -2) if transposed else right)]


@evaluates("relu")
def _relu(x: Operand) -> list[Array]:
    return [np.maximum(real(x), np.float32(0))]


@evaluates("sigmoid")
def _sigmoid(x: Operand) -> list[Array]:
    with np.errstate(over="ignore"):  # exp overflows to inf, which gives the right limit 0
        return [(1 / (1 + np.exp(-real(x)))).astype(np.float32)]


@evaluates("gelu")
def _gelu(x: Operand, *, approximate: bool) -> list[Array]:
    """x times the normal distribution (Hendrycks and Gimpel 2016), or their tanh in its place."""
    wide = real(x).astype(np.float64)
    if approximate:
        inner = np.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3))
    else:
        inner = np.vectorize(math.erf, otypes=[np.float64])(wide / math.sqrt(2))
    return [(wide * (1 + inner) / 2).astype(np.float32)]


@evaluates("softmax")
def _softmax(x: Operand) -> list[Array]:
    shifted = real(x) - real(x).max(-1, keepdims=True)
    exp = np.exp(shifted)
    return [exp / exp.sum(-1, keepdims=True)]


@evaluates("log_softmax")
def _log_softmax(x: Operand) -> list[Array]:
    shifted = real(x) - real(x).max(-1, keepdims=True)
    return [shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))]


@evaluates("sum")
def _sum(x: Operand, *, axis: int) -> list[Array]:
    return [real(x).sum(axis, dtype=np.float32)]


@evaluates("mean")
def _mean(x: Operand, *, axes: tuple[int, ...], keep: bool) -> list[Array]:
    return [real(x).mean(axes, dtype=np.float32, keepdims=keep)]


@evaluates("layer_norm")
def _layer_norm(x: Operand, scale: Operand, bias: Operand, *, epsilon: float) -> list[Array]:
    """(x - mean) / sqrt(variance + epsilon), the variance with n (Ba, Kiros and Hinton 2016)."""
    centred = real(x) - real(x).mean(-1, dtype=np.float32, keepdims=True)
    variance = (centred * centred).mean(-1, dtype=np.float32, keepdims=True)
    return [centred / np.sqrt(variance + np.float32(epsilon)) * real(scale) + real(bias)]


@evaluates("concat")
def _concat(*parts: Operand, axis: int) -> list[Array]:
    return [np.concatenate([real(part) for part in parts], axis)]


@evaluates("split")
def _split(x: Operand, *, axis: int, parts: int) -> list[Array]:
    return list(np.split(real(x), parts, axis))


@evaluates("unsqueeze")
def _unsqueeze(x: Operand, *, axis: int) -> list[Array]:
    return [np.expand_dims(real(x), axis)]


@evaluates("slice")
def _slice(x: Operand, *, axis: int, start: int, stop: int) -> list[Array]:
    return [real(x)[(*[slice(None)] * axis, slice(start, stop))]]


@evaluates("conv2d")
def _conv2d(
    x: Operand, weight: Operand, bias: Operand | None = None, *, activation: str, **window: Any
) -> list[Array]:
    y = convolve(real(x), real(weight), **window)
    if bias is not None:
        trailing = [1] * (y.ndim - 1 - window["channel_axis"])
        y = y + real(bias).reshape(-1, *trailing)
    return [activated(y, activation)]


def activated(y: Array, activation: str) -> Array:
    """What follows a convolution: NONE, RELU or RELU6."""
    if activation in (RELU, RELU6):
        y = np.maximum(y, np.float32(0))
    return np.minimum(y, np.float32(6)) if activation == RELU6 else y


@evaluates("max_pool2d")
def _max_pool2d(x: Operand, **window: Any) -> list[Array]:
    return [max_pool(real(x), **window)]


@evaluates("avg_pool2d")
def _avg_pool2d(x: Operand, **window: Any) -> list[Array]:
    return [average_pool(real(x), **window)]


@evaluates("relu6")
def _relu6(x: Operand) -> list[Array]:
    return [activated(real(x), RELU6)]


@evaluates("hard_swish")
def _hard_swish(x: Operand) -> list[Array]:
    return [real(x) * activated(real(x) + np.float32(3), RELU6) / np.float32(6)]


@evaluates("pad")
def _pad(x: Operand, *, padding: tuple[tuple[int, int], ...], value: float) -> list[Array]:
    return [np.pad(real(x), padding, constant_values=value)]


@evaluates("cast")
def _cast(x: Operand) -> list[Array]:
    return [numbers(x).astype(np.float32)]


@evaluates("quantize", "dequantize")
def _real(x: Operand) -> list[Array]:
    return [real(x)]


@evaluates("reshape")
def _reshape(x: Operand, *, shape: Shape) -> list[Array]:
    return [real(x).reshape([-1 if isinstance(d, str) else d for d in shape])]


@evaluates("transpose")
def _transpose(x: Operand, *, order: tuple[int, ...]) -> list[Array]:
    return [real(x).transpose(order)]


def registered() -> frozenset[str]:
    """Operators that have a numpy meaning; a test holds this against the operator table."""
    return frozenset(_EVALUATIONS)
