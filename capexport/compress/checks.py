"""Graphs before and after compression -> what changed, or an error for what nobody would notice."""

import hashlib
from collections.abc import Iterable

from capexport.compress.split_concat import split_concat
from capexport.errors import GraphError
from capexport.ir.graph import Constant, Graph


def count_nonzeros(before: Graph, after: Graph) -> dict[str, int]:
    """Non-zeros of all matrices, and how many of them a recipe rounded to zero.

    Args:
        before: the graph that was given to `apply_recipe`.
        after: the graph that it returned.

    Raises:
        GraphError: a zero became a number, so that pruning would be lost without a word.
    """
    if any(constant.quantization for constant in after.constants.values()):
        before = split_concat(before)  # the recipe did so too: the constants correspond
    nnz = sum(constant.nnz for constant in _matrices(before))
    for constant in _matrices(after):
        if constant.nnz > before.constants[constant.name].nnz:
            raise GraphError(
                "quantization turned zeros into numbers",
                where=f"graph {after.name}: {constant.name}",
                hint="this is a defect: report the model",
            )
    rounded = nnz - sum(constant.nnz for constant in _matrices(after))
    return {"nnz": nnz, "rounded_to_zero": rounded}


def refuse_copies(graphs: Iterable[Graph]) -> None:
    """Raise GraphError when two matrices of the graphs are equal: each would be stored twice.

    Matrices of nothing but zeros are equal by chance and pass.
    """
    seen: dict[bytes, str] = {}
    for graph in graphs:
        for constant in _matrices(graph):
            place = f"{graph.name}: {constant.name}"
            first = seen.setdefault(_digest(constant), place)
            if first != place and constant.nnz:
                raise GraphError(
                    "two matrices of the bundle are equal",
                    where=f"{first} and {place}",
                    hint="let the encoder hand over what both need: report the model",
                )


def _matrices(graph: Graph) -> list[Constant]:
    return [constant for constant in graph.constants.values() if constant.data.ndim >= 2]


def _digest(constant: Constant) -> bytes:
    """Of the real numbers: equal int8 data with other scales is another matrix."""
    digest = hashlib.sha256(repr((constant.dtype, constant.shape)).encode())
    digest.update(constant.data.tobytes())
    if constant.quantization is not None:
        digest.update(constant.quantization.scale.tobytes())
    return digest.digest()
