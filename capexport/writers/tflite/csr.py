"""TFLite's sparse tensor: dense rows of compressed columns (CSR).

Format: `SparsityParameters` of the schema. Index vectors take the narrowest of uint8, uint16 and
int32.
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from capexport.ir.graph import Array

_WIDTHS = ((1 << 8, "Uint8Vector", np.uint8), (1 << 16, "Uint16Vector", np.uint16))


def encode(matrix: Array) -> tuple[Array, Any]:
    """[rows, columns] -> stored values in row order, SparsityParametersT."""
    rows, columns = np.nonzero(matrix)
    segments = np.searchsorted(rows, np.arange(len(matrix) + 1))
    sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder = np.array([0, 1], np.int32)
    sparsity.dimMetadata = [_dense(len(matrix)), _compressed(segments, columns)]
    return matrix[rows, columns], sparsity


def _dense(size: int) -> Any:
    dimension = schema.DimensionMetadataT()
    dimension.format, dimension.denseSize = schema.DimensionType.DENSE, size
    return dimension


def _compressed(segments: Array, indices: Array) -> Any:
    dimension = schema.DimensionMetadataT()
    dimension.format = schema.DimensionType.SPARSE_CSR
    dimension.arraySegments, dimension.arraySegmentsType = _index_vector(segments)
    dimension.arrayIndices, dimension.arrayIndicesType = _index_vector(indices)
    return dimension


def _index_vector(numbers: Array) -> tuple[Any, int]:
    peak = int(numbers.max(initial=0))
    wide = ("Int32Vector", np.int32)
    kind, dtype = next(((name, t) for limit, name, t in _WIDTHS if peak < limit), wide)
    vector = getattr(schema, kind + "T")()
    vector.values = numbers.astype(dtype)
    return vector, getattr(schema.SparseIndexVector, kind)
