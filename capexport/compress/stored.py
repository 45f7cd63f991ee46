"""A graph's matrices -> how many bytes a file holds of each, against the least that it could."""

from typing import Any

import numpy as np

from capexport.checkpoint.statistics import LayerStatistics, size_bound
from capexport.ir.graph import Constant, Graph
from capexport.kernels import cksb

BOUND_BITS = 8


def stored_layers(graph: Graph) -> list[dict[str, Any]]:
    """By constant of two dimensions or more, in the graph's order.

    `stored_bytes` are values, positions and scales, no biases; absent where a matrix is stored
    sparse with standard operators, which each file format does in its own way. `bound_bytes` is
    `size_bound` at BOUND_BITS bits a value, without scales.
    """
    return [_stored(c) for c in graph.constants.values() if c.data.ndim >= 2 and c.data.size]


def _stored(constant: Constant) -> dict[str, Any]:
    size, nnz = constant.data.size, constant.nnz
    layer = LayerStatistics(constant.name, constant.shape, nnz, 1 - nnz / size)
    found: dict[str, Any] = {
        "name": constant.name,
        "shape": list(constant.shape),
        "nnz": nnz,
        "sparsity": layer.sparsity,
        "bound_bytes": size_bound([layer], 0, BOUND_BITS),
    }
    if not constant.sparse:
        found["stored_bytes"] = _bytes_of(constant)
    return found


def _bytes_of(constant: Constant) -> int:
    scale = None if constant.quantization is None else constant.quantization.scale
    if scale is None:
        return int(constant.data.nbytes)
    if not constant.packed:
        return int(constant.data.nbytes + scale.nbytes)
    blob, beside = cksb.pack_rows(cksb.Rows(constant.data, scale.astype(np.float32)))
    return len(blob) + (0 if beside.scale is None else int(beside.scale.nbytes))
