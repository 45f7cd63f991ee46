"""How a file stores each constant: one rule per weight form, the same for every file format."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from capexport.compress.dispatch import is_faster_packed, rows_of_x
from capexport.errors import UnsupportedError
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import DYNAMIC

WEIGHT_FORMS = ("auto", "dense", "stock-sparse", "packed")
LEAST_PACKED_SPARSITY = 0.8
"""Share of zeros below which no weight is packed: nothing was measured there."""
MOST_PACKED_COLUMNS = 65535
"""What the packed form can address, and what keeps its int32 sums from overflowing."""


def choose_storage(graph: Graph, weights: str) -> Graph:
    """Mark the constants that are stored sparse or packed.

    Args:
        weights: `dense`; `stock-sparse`: every matrix that compressed rows make smaller, in a form
            that an unmodified runtime unpacks when it opens the file; `packed`: every int8 matrix
            that the project's sparse kernels multiply faster than a stock runtime. `auto` is dense.

    Raises:
        UnsupportedError: another form.
    """
    check_weight_form(weights)
    if weights == "stock-sparse":
        smaller = [c for c in graph.constants.values() if is_smaller_sparse(c)]
        return graph.replace_constants({c.name: replace(c, sparse=True) for c in smaller})
    if weights == "packed":
        return _packed(graph)
    return graph


def check_weight_form(weights: str) -> None:
    """Raise UnsupportedError unless `weights` is one of WEIGHT_FORMS."""
    if weights not in WEIGHT_FORMS:
        raise UnsupportedError(
            f"there is no weight form {weights!r}",
            where=f"--weights {weights}",
            hint=f"choose from {', '.join(WEIGHT_FORMS)}",
        )


def refuse_nothing_packed(graphs: Sequence[Graph]) -> None:
    """Raise UnsupportedError where not one matrix of all a model's graphs can run packed."""
    if not any(_can_run_packed(graph, c) for graph in graphs for c in graph.constants.values()):
        raise UnsupportedError(
            f"no weight of {' and '.join(graph.name for graph in graphs)} is int8 with "
            f"{LEAST_PACKED_SPARSITY:.0%} zeros",
            where="--weights packed",
            hint="use --recipe dynamic_wi8 on a pruned checkpoint, or --weights dense",
        )


def _packed(graph: Graph) -> Graph:
    possible = [c for c in graph.constants.values() if _can_run_packed(graph, c)]
    faster = [c for c in possible if all(_gains(graph, r) for r in graph.users(c.name))]
    return graph.replace_constants({c.name: replace(c, packed=True) for c in faster})


def _can_run_packed(graph: Graph, constant: Constant) -> bool:
    """Whether the kernels have every operation that reads the constant, and take it."""
    readers = graph.users(constant.name)
    return is_sparse_enough(constant) and all(_runs_packed(r, constant.name) for r in readers)


def _runs_packed(node: Node, constant: str) -> bool:
    if node.op == "linear":
        return node.inputs[1] == constant and node.attributes["activations"] == DYNAMIC
    return node.op == "embedding" and node.inputs[0] == constant


def _gains(graph: Graph, node: Node) -> bool:
    """Whether a node is faster with its weight packed; a lookup always is."""
    if node.op == "embedding":
        return True
    x, weight = node.inputs[:2]
    return is_faster_packed(graph.constants[weight], rows_of_x(graph.shape(x)))


def is_sparse_enough(constant: Constant) -> bool:
    """Whether the kernels take the matrix: int8, enough zeros, not too wide."""
    return (
        constant.data.ndim == 2
        and constant.quantization is not None
        and constant.shape[1] <= MOST_PACKED_COLUMNS
        and 1 - constant.nnz / max(constant.data.size, 1) >= LEAST_PACKED_SPARSITY
    )


def is_smaller_sparse(constant: Constant) -> bool:
    """Whether compressed sparse rows take fewer bytes than the dense matrix.

    CSR is the larger of the two sparse forms that the writers use (ONNX stores gaps in one
    byte), so what passes here is smaller in every file.
    """
    if constant.data.ndim != 2:
        return False
    rows, columns = constant.data.shape
    nnz = constant.nnz
    value_bytes = constant.data.itemsize
    sparse_bytes = nnz * (value_bytes + _index_bytes(columns)) + (rows + 1) * _index_bytes(nnz)
    return bool(sparse_bytes < constant.data.nbytes)


def _index_bytes(peak: int) -> int:
    return next(n for n in (1, 2, 4) if peak < np.iinfo(f"u{n}").max + 1)
