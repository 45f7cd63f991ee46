"""Packed weights: CKSB blobs that the project's own operators read in place."""

import numpy as np

from capexport.errors import GraphError
from capexport.ir.graph import Constant, Node
from capexport.ir.ops import DYNAMIC
from capexport.kernels import cksb
from capexport.writers.tflite.lowering import Lowering
from capexport.writers.tflite.packed_operators import SPARSE_EMBEDDING, SPARSE_LINEAR


def sparse_linear(lowering: Lowering, node: Node) -> None:
    """A linear with dynamic activations whose weight is packed."""
    x, weight, *bias = node.inputs
    if node.attributes["activations"] != DYNAMIC:
        raise GraphError(
            "packed weights meet float activations",
            where=f"{lowering.graph.name}: {weight}",
            hint="use a recipe with dynamic activations",
        )
    constant = lowering.graph.constants[weight]
    offset = lowering.float_tensor(bias[0]) if bias else _no_bias(lowering)
    inputs = [lowering.tensor(x), *_weight(lowering, constant), offset]
    options = bytes([node.attributes["relu"]])
    lowering.model.custom_operator(
        SPARSE_LINEAR, inputs, [lowering.tensor(node.outputs[0])], options
    )


def sparse_embedding(lowering: Lowering, node: Node) -> None:
    """A lookup in a packed table."""
    table, ids = node.inputs
    inputs = [lowering.tensor(ids), *_weight(lowering, lowering.graph.constants[table])]
    lowering.model.custom_operator(SPARSE_EMBEDDING, inputs, [lowering.tensor(node.outputs[0])])


def _weight(lowering: Lowering, constant: Constant) -> tuple[int, int]:
    """The blob, and the scale of each row that has weights."""
    quantization = constant.quantization
    if quantization is None or quantization.axis != 0:
        raise GraphError(
            "packed weights have no scale per row",
            where=f"{lowering.graph.name}: {constant.name}",
            hint="quantize the weight first",
        )
    blob = np.frombuffer(cksb.encode(constant.data), np.uint8)
    scale = cksb.stored_scale(constant.data, quantization.scale.astype(np.float32))
    return (
        lowering.stored(Constant(constant.name + ".cksb", blob)),
        lowering.stored(Constant(constant.name + ".row_scale", scale)),
    )


def _no_bias(lowering: Lowering) -> int:
    """One 0 for all rows: an omitted input crashes LiteRT's custom operators."""
    return lowering.stored(Constant("zeros.1", np.zeros(1, np.float32)))
