"""Packed weights: CKSB blobs that the project's own operators read in place."""

import numpy as np
from numpy.typing import NDArray

from capexport.errors import GraphError
from capexport.ir.graph import Constant, Node
from capexport.ir.ops import DYNAMIC
from capexport.writers.packed_weights import NO_BIAS, NO_SCALE, packed_weight
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
    blob, scale, has_bias = _weight(lowering, constant)
    offset = lowering.float_tensor(bias[0]) if bias and not has_bias else _one(lowering, NO_BIAS)
    inputs = [lowering.tensor(x), blob, scale, offset]
    options = bytes([node.attributes["relu"]])
    lowering.model.custom_operator(
        SPARSE_LINEAR, inputs, [lowering.tensor(node.outputs[0])], options
    )


def sparse_embedding(lowering: Lowering, node: Node) -> None:
    """A lookup in a packed table."""
    table, ids = node.inputs
    blob, scale, _ = _weight(lowering, lowering.graph.constants[table])
    inputs = [lowering.tensor(ids), blob, scale]
    lowering.model.custom_operator(SPARSE_EMBEDDING, inputs, [lowering.tensor(node.outputs[0])])


def _weight(lowering: Lowering, constant: Constant) -> tuple[int, int, bool]:
    """The blob, the scale of each row that has weights, and whether the bias is in the blob."""
    packed = packed_weight(lowering.graph, constant)
    blob = lowering.stored(Constant(constant.name + ".cksb", packed.blob))
    if packed.scale is NO_SCALE:
        return blob, _one(lowering, NO_SCALE), packed.has_bias
    scale = lowering.stored(Constant(constant.name + ".row_scale", packed.scale))
    return blob, scale, packed.has_bias


def _one(lowering: Lowering, number: NDArray[np.float32]) -> int:
    """What stands for the floats of all rows."""
    return lowering.stored(Constant(f"rows.{number[0]:.0f}", number))
