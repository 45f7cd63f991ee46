"""The project's own operators on packed weights: their names, and what a file must give them.

`capexport/kernels/adapters/litert` runs them. A runtime without it refuses the file.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from capexport.errors import BundleError, GraphError
from capexport.kernels import cksb

Type = schema.TensorType

SPARSE_LINEAR = "CapexportSparseInt8Linear"
"""x float [..., k], weights, scale float [m], bias float [m] -> [..., m]; options: 1 byte, relu.

The scale may leave out rows without weights. One number stands for floats that the blob has, or for
no bias: a scale of 1, a bias of 0.
"""
SPARSE_EMBEDDING = "CapexportSparseInt8Embedding"
"""ids int32 [n], weights, scale float [m] -> [n, k]."""

_FIRST_INPUT = {SPARSE_LINEAR: Type.FLOAT32, SPARSE_EMBEDDING: Type.INT32}
_VECTORS = {SPARSE_LINEAR: 2, SPARSE_EMBEDDING: 1}
_OPTIONS = {SPARSE_LINEAR: ((0,), (1,)), SPARSE_EMBEDDING: ((),)}


def check_packed(name: str, operator: Any, subgraph: Any, buffers: Sequence[Any]) -> None:
    """Raise GraphError unless a custom operator of the file is one that the delegate runs."""
    if name not in _FIRST_INPUT:
        raise _error(f"there is no custom operator {name!r}", subgraph.name)
    if min(operator.inputs) < 0:
        raise _error("an input is omitted, which crashes LiteRT's custom operators", name)
    tensors = [subgraph.tensors[i] for i in operator.inputs]
    first, blob, *vectors = tensors
    if first.type != _FIRST_INPUT[name] or len(vectors) != _VECTORS[name]:
        raise _error("the inputs are of another number or type", name)
    if (
        tuple(() if operator.customOptions is None else operator.customOptions)
        not in _OPTIONS[name]
    ):
        raise _error("the options are unknown", name)
    header = _header(blob, buffers)
    scale_lengths = (1, 1) if header.has_scale else (header.rows, header.live_rows)
    bias_lengths = (1, 1) if header.has_bias else (header.rows, 1)
    for vector, lengths in zip(vectors, (scale_lengths, bias_lengths), strict=False):
        _check_vector(vector, lengths)
    if name == SPARSE_LINEAR and first.shape[-1] != header.columns:
        raise _error(f"{first.shape[-1]} inputs meet weights for {header.columns}", blob.name)


def _check_vector(vector: Any, lengths: tuple[int, int]) -> None:
    fits = tuple(vector.shape) in [(length,) for length in lengths]
    if vector.type != Type.FLOAT32 or vector.buffer == 0 or not fits:
        wanted = " or ".join(map(str, sorted(set(lengths))))
        raise _error(f"{wanted} float constants are needed", vector.name)


def _header(blob: Any, buffers: Sequence[Any]) -> cksb.Header:
    data = buffers[blob.buffer].data
    if blob.type != Type.UINT8 or data is None:
        raise _error("the packed weights are no constant bytes", blob.name)
    try:
        return cksb.read_header(np.asarray(data, np.uint8).tobytes())
    except BundleError as error:
        raise _error(error.what, blob.name) from error


def _error(what: str, where: str | bytes) -> GraphError:
    name = where.decode() if isinstance(where, bytes) else where
    return GraphError(what, where=name, hint="this is a defect of the writer: report it")
