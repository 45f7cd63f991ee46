"""Products of int8 rows with an int8 weight, equal to `capexport.ir.evaluate` bit for bit.

DynamicQuantizeLinear gives all rows of a batch one scale, so a caption would depend on the other
hypotheses beside it. Here every row has its own, as in LiteRT.
"""

import numpy as np
from onnx import TensorProto

from capexport.errors import GraphError, UnsupportedError
from capexport.ir.evaluate import INT8_HIGH, INT8_LOW
from capexport.ir.graph import Array, Constant, Node, QuantParams
from capexport.writers.onnx.emitter import Emitter, Step, cast
from capexport.writers.onnx.lowering import UNSIGNED_SHIFT, Lowering, QuantizedRows

LONGEST_ROW = (2**31 - 1) // ((INT8_HIGH - INT8_LOW) * -INT8_LOW)
"""Inputs up to which no sum of products leaves int32."""

LEAST_MAXIMUM = 1e-30
"""Taken as the maximum of a row without positive numbers, in place of 0.

So a row of zeros has a scale that can be divided by, and the range of any other row with a number
beyond 1e-22 still rounds to the same float32.
"""


def int8_linear(lowering: Lowering, node: Node) -> tuple[str, list[Step]]:
    """The value to start from and the steps to x @ weight.T + bias.

    Raises:
        GraphError: the weight is not int8 with one scale per output.
        UnsupportedError: rows so long that int32 sums could overflow.
    """
    x, weight, *bias = node.inputs
    output = node.outputs[0]
    constant, quantization = _quantized_weight(lowering, weight, output)
    rows = _quantized_rows(lowering, x)
    emitter, constants = lowering.emitter, lowering.constants
    sums = constants.derived(weight, "column_sums", _column_sums(constant))
    offset = emitter.value("Mul", (rows.zero, sums), f"{output}.offset")
    shift = emitter.scalar(UNSIGNED_SHIFT, np.uint8)
    scale = constants.derived(weight, "scale", quantization.scale)
    finish = _scale_and_add(emitter, scale, lowering.read(bias[0])) if bias else None
    return rows.numbers, [
        Step("MatMulInteger", (constants.stored_transposed(weight), shift)),
        Step("Sub", (offset,)),
        cast(np.float32),
        Step("Mul", (rows.scale,)),
        *(finish or [Step("Mul", (scale,))]),
    ]


def _scale_and_add(emitter: Emitter, scale: str, bias: str) -> list[Step]:
    """y * scale + bias with one rounding, as the fused multiply-add of XNNPACK has.

    The product of two float32 is exact in double. Without this, one value in three differs in its
    last bit, now and then that turns a rounding in the next layer, and captions of the two formats
    drift apart.
    """
    wide_scale, wide_bias = (
        emitter.value("Cast", (name,), f"{name}.wide", to=TensorProto.DOUBLE)
        for name in (scale, bias)
    )
    return [
        cast(np.float64),
        Step("Mul", (wide_scale,)),
        Step("Add", (wide_bias,)),
        cast(np.float32),
    ]


def _quantized_weight(lowering: Lowering, weight: str, output: str) -> tuple[Constant, QuantParams]:
    constant = lowering.graph.constants.get(weight)
    quantization = constant.quantization if constant else None
    if constant is None or quantization is None or quantization.axis != 0:
        raise GraphError(
            f"dynamic activations meet {weight!r}, which is not int8 per output",
            where=f"linear -> {output}",
            hint="quantize the weight first, along axis 0",
        )
    if constant.shape[1] > LONGEST_ROW:
        raise UnsupportedError(
            f"{constant.shape[1]} inputs are too many for int8 activations",
            where=f"weight {weight}",
            hint=f"use float activations beyond {LONGEST_ROW}",
        )
    return constant, quantization


def _column_sums(weight: Constant) -> Array:
    sums: Array = weight.data.sum(1, dtype=np.int32)
    return sums


def _quantized_rows(lowering: Lowering, x: str) -> QuantizedRows:
    if x not in lowering.rows:
        lowering.rows[x] = _quantize_rows(lowering.emitter, lowering.read(x))
    return lowering.rows[x]


def _quantize_rows(emitter: Emitter, x: str) -> QuantizedRows:
    """The nodes of `evaluate.quantize_rows`, in its order, so that both round alike."""

    def emit(part: str, op: str, *inputs: str, **attributes: int) -> str:
        return emitter.value(op, inputs, f"{x}.{part}", **attributes)

    last_axis = emitter.axes(-1)
    minimum = emit("minimum", "ReduceMin", x, last_axis, keepdims=1)
    maximum = emit("maximum", "ReduceMax", x, last_axis, keepdims=1)
    low = emit("low", "Min", minimum, emitter.scalar(0))
    high = emit("high", "Max", maximum, emitter.scalar(LEAST_MAXIMUM))
    span = emit("span", "Sub", high, low)
    steps_per_unit = emit("steps_per_unit", "Div", emitter.scalar(INT8_HIGH - INT8_LOW), span)
    low_steps = emit("low_steps", "Mul", low, steps_per_unit)
    exact_zero = emit("exact_zero", "Sub", emitter.scalar(INT8_LOW), low_steps)
    zero = emit("zero", "Round", exact_zero)
    steps = emit("rounded", "Round", emit("steps", "Mul", x, steps_per_unit))
    shifted = emit("shifted", "Add", steps, zero)
    one, shift = emitter.scalar(1), emitter.scalar(UNSIGNED_SHIFT, np.uint8)
    # Not 1 / s: onnxruntime turns y * (1 / s) into y / s, which rounds otherwise.
    scale = emit("scale", "Reciprocal", steps_per_unit)
    numbers = emit("uint8", "QuantizeLinear", shifted, one, shift)  # rounds nothing, clips
    integer_zero = emit("integer_zero", "Cast", zero, to=TensorProto.INT32)
    return QuantizedRows(numbers, scale, integer_zero)
