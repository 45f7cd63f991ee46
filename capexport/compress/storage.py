"""How a file stores each constant: one rule per weight form, the same for every file format."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from capexport.errors import UnsupportedError
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import DYNAMIC

WEIGHT_FORMS = ("auto", "dense", "stock-sparse", "packed")
LEAST_PACKED_SPARSITY = 0.8
"""Share of zeros from which the kernels are ahead of dense int8, one row of x at a time."""
MOST_PACKED_COLUMNS = 65535
"""What the packed form can address, and what keeps its int32 sums from overflowing."""


def choose_storage(graph: Graph, weights: str) -> Graph:
    """Mark the constants that are stored sparse or packed.

    Args:
        weights: `dense`; `stock-sparse`: every matrix that compressed rows make smaller, in a form
            that an unmodified runtime unpacks when it opens the file; `packed`: every int8 matrix
            with enough zeros, executed sparse by the project's kernels. `auto` is dense.

    Raises:
        UnsupportedError: another form, or `packed` where no matrix can be.
    """
    check_weight_form(weights)
    if weights == "stock-sparse":
        return _mark(graph, is_smaller_sparse, lambda constant: replace(constant, sparse=True))
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


def _packed(graph: Graph) -> Graph:
    def can_be_packed(constant: Constant) -> bool:
        readers = graph.users(constant.name)
        return is_sparse_enough(constant) and all(_runs_packed(r, constant.name) for r in readers)

    marked = _mark(graph, can_be_packed, lambda constant: replace(constant, packed=True))
    if not any(constant.packed for constant in marked.constants.values()):
        raise UnsupportedError(
            f"no weight of the {graph.name} is int8 with {LEAST_PACKED_SPARSITY:.0%} zeros",
            where="--weights packed",
            hint="use --recipe dynamic_wi8 on a pruned checkpoint, or --weights dense",
        )
    return marked


def _runs_packed(node: Node, constant: str) -> bool:
    """Whether the kernels have this operation on a packed weight."""
    if node.op == "linear":
        return node.inputs[1] == constant and node.attributes["activations"] == DYNAMIC
    return node.op == "embedding" and node.inputs[0] == constant


def _mark(
    graph: Graph, chosen: Callable[[Constant], bool], mark: Callable[[Constant], Constant]
) -> Graph:
    marked = {n: mark(c) for n, c in graph.constants.items() if chosen(c)}
    return graph.replace_constants(marked)


def is_sparse_enough(constant: Constant) -> bool:
    """Whether the kernels take the matrix: int8, enough zeros, not too wide."""
    return (
        constant.data.ndim == 2
        and constant.quantization is not None
        and constant.shape[1] <= MOST_PACKED_COLUMNS
        and constant.nnz <= (1 - LEAST_PACKED_SPARSITY) * constant.data.size
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
