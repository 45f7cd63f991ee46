"""A packed weight -> what both writers store of it: a blob, and the floats that are not inside.

A custom operator has an input for scale and bias in any case. One number stands for floats that are
in the blob, or for no bias: omitted inputs crash LiteRT.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capexport.errors import GraphError
from capexport.ir.graph import Constant, Graph
from capexport.kernels import cksb

NO_SCALE = np.ones(1, np.float32)
NO_BIAS = np.zeros(1, np.float32)


class PackedWeight(NamedTuple):
    """Contents of constants.

    Args:
        blob: uint8 [bytes].
        scale: float32, of rows with weights (of all if there are none); NO_SCALE if inside.
        has_bias: the bias of the linear that reads the weight is inside.
    """

    blob: NDArray[np.uint8]
    scale: NDArray[np.float32]
    has_bias: bool


def packed_weight(graph: Graph, constant: Constant) -> PackedWeight:
    """Of a constant that is marked as packed.

    The bias can be inside if one linear reads the weight: a matrix is stored once for all readers.

    Raises:
        GraphError: the weight has no scale per row.
        UnsupportedError: the weight cannot be stored as CKSB.
    """
    quantization = constant.quantization
    if quantization is None or quantization.axis != 0:
        raise GraphError(
            f"the packed weight {constant.name!r} has no scale per row",
            where=graph.name,
            hint="quantize the weight first",
        )
    bias = _only_bias(graph, constant.name)
    scale = quantization.scale.astype(np.float32)
    blob, beside = cksb.pack_rows(cksb.Rows(constant.data, scale, bias))
    has_bias = bias is not None and beside.bias is None
    stored = NO_SCALE if beside.scale is None else beside.scale
    return PackedWeight(np.frombuffer(blob, np.uint8), stored, has_bias)


def _only_bias(graph: Graph, weight: str) -> NDArray[np.float32] | None:
    linears = [node for node in graph.users(weight) if node.op == "linear"]
    if len(linears) != 1 or len(linears[0].inputs) < 3:
        return None
    bias = graph.constants.get(linears[0].inputs[2])
    return None if bias is None or bias.dtype != "float32" else bias.data
