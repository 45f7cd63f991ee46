"""The operator table: what each operation takes, returns and means.

A new operator is one row here, one function in `evaluate.py`, one importer in `capture/` and one
visitor per writer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from capexport.errors import GraphError
from capexport.ir.graph import Graph, Node
from capexport.spec.signature import Dimension, Shape

Attributes = dict[str, Any]
Inference = Callable[[Sequence[Shape], Attributes], list[Shape]]


@dataclass(frozen=True)
class Op:
    """One row: `infer` maps input shapes and attributes to output shapes, or raises ValueError."""

    name: str
    arity: tuple[int, int]
    attributes: frozenset[str]
    infer: Inference


def broadcast(a: Shape, b: Shape) -> Shape:
    """numpy's rule; an unnamed 1 stretches, two named axes must be the same."""
    rank = max(len(a), len(b))
    padded = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    return tuple(_stretch(x, y) for x, y in padded)


def _stretch(x: Dimension, y: Dimension) -> Dimension:
    if x == y or y == 1:
        return x
    if x == 1:
        return y
    raise ValueError(f"axes of {x} and {y} do not broadcast")


def _same(shapes: Sequence[Shape], _: Attributes) -> list[Shape]:
    return [shapes[0]]


def _binary(shapes: Sequence[Shape], _: Attributes) -> list[Shape]:
    return [broadcast(shapes[0], shapes[1])]


def _embedding(shapes: Sequence[Shape], _: Attributes) -> list[Shape]:
    table, ids = shapes
    return [(*ids, *table[1:])]


def _linear(shapes: Sequence[Shape], _: Attributes) -> list[Shape]:
    x, weight = shapes[:2]
    if x[-1] != weight[1]:
        raise ValueError(f"{x[-1]} inputs meet a weight for {weight[1]}")
    return [(*x[:-1], weight[0])]


def _matmul(shapes: Sequence[Shape], _: Attributes) -> list[Shape]:
    a, b = shapes
    if a[-1] != b[-2]:
        raise ValueError(f"inner axes {a[-1]} and {b[-2]} differ")
    return [(*broadcast(a[:-2], b[:-2]), a[-2], b[-1])]


def _sum(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    axis = attributes["axis"]
    return [shapes[0][:axis] + shapes[0][axis + 1 :]]


def _concat(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    axis = attributes["axis"]
    lengths = [shape[axis] for shape in shapes]
    if not all(isinstance(n, int) for n in lengths):
        raise ValueError("concatenation along an axis of unknown length")
    total = sum(n for n in lengths if isinstance(n, int))
    return [(*shapes[0][:axis], total, *shapes[0][axis + 1 :])]


def _split(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    axis, parts = attributes["axis"], attributes["parts"]
    length = shapes[0][axis]
    if not isinstance(length, int) or length % parts:
        raise ValueError(f"an axis of {length} does not split into {parts} equal parts")
    piece = (*shapes[0][:axis], length // parts, *shapes[0][axis + 1 :])
    return [piece] * parts


def _unsqueeze(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    axis = attributes["axis"]
    return [(*shapes[0][:axis], 1, *shapes[0][axis:])]


FLOAT, DYNAMIC = "float", "dynamic"
"""`activations` of a linear: fp32, or int8 per row with a scale found at run time."""


def _row(name: str, arity: int | tuple[int, int], infer: Inference, *attributes: str) -> Op:
    bounds = (arity, arity) if isinstance(arity, int) else arity
    return Op(name, bounds, frozenset(attributes), infer)


# All axes are counted from the front.
OPS = {
    op.name: op
    for op in (
        _row("embedding", 2, _embedding),  # table [n, d], ids [b] -> [b, d]
        # x [..., k], weight [m, k], bias [m] -> [..., m]; relu: max(y, 0) afterwards
        _row("linear", (2, 3), _linear, "activations", "relu"),
        _row("matmul", 2, _matmul),
        _row("add", 2, _binary),
        _row("sub", 2, _binary),
        _row("mul", 2, _binary),
        _row("relu", 1, _same),
        _row("sigmoid", 1, _same),
        _row("tanh", 1, _same),
        _row("softmax", 1, _same),  # last axis
        _row("log_softmax", 1, _same),  # last axis
        _row("sum", 1, _sum, "axis"),  # the axis disappears
        _row("concat", (1, 64), _concat, "axis"),
        _row("split", 1, _split, "axis", "parts"),  # equal parts
        _row("unsqueeze", 1, _unsqueeze, "axis"),
    )
}


def infer_shapes(node: Node, shapes: Sequence[Shape]) -> list[Shape]:
    """Output shapes of `node`; GraphError names the node when its inputs do not fit."""
    op = OPS.get(node.op)
    where = f"{node.op} -> {', '.join(node.outputs)}"
    hint = "this is a defect: report the model"
    if op is None:
        raise GraphError(f"there is no operator {node.op!r}", where=where, hint=hint)
    if not op.arity[0] <= len(node.inputs) <= op.arity[1]:
        raise GraphError(f"{len(node.inputs)} inputs, not {op.arity}", where=where, hint=hint)
    if unknown := set(node.attributes) - op.attributes:
        raise GraphError(f"unknown attributes {sorted(unknown)}", where=where, hint=hint)
    try:
        return op.infer(shapes, dict(node.attributes))
    except (ValueError, IndexError, KeyError) as error:
        raise GraphError(f"inputs {list(shapes)}: {error}", where=where, hint=hint) from error


def check_shapes(graph: Graph) -> Graph:
    """Raise GraphError where a recorded shape differs from the operator table's."""
    graph.check()
    for node in graph.nodes:
        inferred = infer_shapes(node, [graph.shape(name) for name in node.inputs if name])
        recorded = [graph.shape(name) for name in node.outputs]
        if inferred != recorded:
            raise GraphError(
                f"shapes {recorded} are recorded, {inferred} follow from the inputs",
                where=f"graph {graph.name}, {node.op} -> {', '.join(node.outputs)}",
                hint="this is a defect: report the model",
            )
    return graph
