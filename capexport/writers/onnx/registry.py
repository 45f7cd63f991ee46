"""Which function writes which IR operator."""

from collections.abc import Callable

from capexport.ir.graph import Node
from capexport.writers.onnx.lowering import Lowering

Visitor = Callable[[Lowering, Node], None]
"""Writes a node: whatever it emits must end in nodes that write exactly `node.outputs`."""

VISITORS: dict[str, Visitor] = {}


def visits(*ops: str) -> Callable[[Visitor], Visitor]:
    """Register a function as the visitor of IR operators."""

    def register(visitor: Visitor) -> Visitor:
        VISITORS.update(dict.fromkeys(ops, visitor))
        return visitor

    return register


def registered() -> frozenset[str]:
    """IR operators that this writer writes; a test holds this against the operator table."""
    return frozenset(VISITORS)
