"""Which constants a file stores sparse: one rule, the same for every file format."""

import numpy as np

from capexport.errors import UnsupportedError
from capexport.ir.graph import Constant, Graph

WEIGHT_FORMS = ("auto", "dense", "stock-sparse")


def choose_storage(graph: Graph, weights: str) -> Graph:
    """Mark the constants that are stored sparse.

    Args:
        weights: `dense`, or `stock-sparse`: every matrix that compressed rows make smaller, in a
            form that an unmodified runtime unpacks when it opens the file. `auto` is dense.

    Raises:
        UnsupportedError: another form.
    """
    if weights not in WEIGHT_FORMS:
        raise UnsupportedError(
            f"there is no weight form {weights!r}",
            where=f"--weights {weights}",
            hint=f"choose from {', '.join(WEIGHT_FORMS)}",
        )
    if weights != "stock-sparse":
        return graph
    sparse = {
        name: Constant(name, constant.data, constant.quantization, sparse=True)
        for name, constant in graph.constants.items()
        if is_smaller_sparse(constant)
    }
    return graph.replace_constants(sparse)


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
