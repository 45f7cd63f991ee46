"""Operator versions: the lowest that promises what the tensors need.

An under-declared version is no error at load. An old runtime accepts the file and computes wrong
numbers, so versions follow from the tensors; check.py derives them again from the finished file.
Source: LiteRT tflite/converter/tools/versioning/op_version.cc.
"""

from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from capexport.errors import GraphError

Op = schema.BuiltinOperator
Type = schema.TensorType

SPARSE_FULLY_CONNECTED = 8
"""XNNPACK leaves exactly this version to the builtin kernel. With any other it reads a sparse
weight as a dense one, past its end: garbage or a crash, without an error."""


@dataclass(frozen=True)
class Operands:
    """Schema tensors of one operator, omitted inputs left out, and the file's buffers."""

    inputs: list[Any]
    outputs: list[Any]
    buffers: list[Any]

    def weight_is_sparse(self) -> bool:
        """Stored sparse here, or by the DENSIFY in front: then it has no buffer of its own."""
        weight = self.inputs[1]
        return weight.sparsity is not None or (weight.buffer == 0 and weight.type == Type.INT8)


def per_channel(tensor: Any) -> bool:
    """Whether the tensor has a scale per channel; one row counts as per tensor."""
    return tensor.quantization is not None and len(tensor.quantization.scale) > 1


def true_version(code: int, operands: Operands) -> int:
    """Version of one operator; GraphError for a combination that no runtime computes rightly."""
    first = operands.inputs[0]
    if code == Op.FULLY_CONNECTED:
        return _fully_connected(operands)
    if code == Op.EMBEDDING_LOOKUP and operands.inputs[1].type == Type.INT8:
        return 4 if per_channel(operands.inputs[1]) else 1
    if code in (Op.CONV_2D, Op.DEPTHWISE_CONV_2D):
        return _convolution(code, operands)
    if code == Op.MUL and first.type == Type.INT8:
        return _int8_product(operands)
    if code in _VERSION_2_IF_INT8 and first.type == Type.INT8:
        return 2
    if code == Op.DEQUANTIZE and first.type == Type.INT8:
        return 5 if per_channel(first) else 2
    return 1


_VERSION_2_IF_INT8 = frozenset(
    {
        *(Op.ADD, Op.SUB, Op.CONCATENATION, Op.MAX_POOL_2D, Op.AVERAGE_POOL_2D, Op.MEAN, Op.PAD),
        *(Op.PADV2, Op.RELU, Op.RELU6, Op.LOGISTIC, Op.TANH, Op.TRANSPOSE),
    }
)


def _int8_product(operands: Operands) -> int:
    a, b = (float(tensor.quantization.scale[0]) for tensor in operands.inputs)
    return 3 if a * b >= float(operands.outputs[0].quantization.scale[0]) else 2


def _convolution(code: int, operands: Operands) -> int:
    x, weight = operands.inputs[:2]
    if code == Op.CONV_2D and x.shape[3] != weight.shape[3]:
        return 6  # grouped
    return 3 if x.type == Type.INT8 else 1


def _fully_connected(operands: Operands) -> int:
    x, weight = operands.inputs[:2]
    if operands.weight_is_sparse():
        if weight.sparsity is not None and weight.type != Type.FLOAT32:
            raise GraphError(
                "FULLY_CONNECTED reads an int8 sparse weight directly",
                where=str(weight.name),
                hint="every runtime computes garbage from it: put a DENSIFY in between",
            )
        return SPARSE_FULLY_CONNECTED
    if x.type == Type.FLOAT32 and weight.type == Type.INT8:
        return 12 if per_channel(weight) else 9
    if len(operands.inputs) == 2:
        return 6  # no bias
    return 5 if len(operands.outputs[0].shape) > 2 else 1
