"""The operator table: what each operation takes, returns and means.

A new operator is one row here, one function in `evaluate.py`, one importer in `capture/` and one
visitor per writer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from capexport.errors import GraphError
from capexport.ir.graph import Graph, Node
from capexport.ir.windows import windowed_shape
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


def _matmul(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    a, b = shapes
    inner, columns = (b[-1], b[-2]) if attributes.get("transposed") else (b[-2], b[-1])
    if a[-1] != inner:
        raise ValueError(f"inner axes {a[-1]} and {inner} differ")
    return [(*broadcast(a[:-2], b[:-2]), a[-2], columns)]


def _sum(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    axis = attributes["axis"]
    return [shapes[0][:axis] + shapes[0][axis + 1 :]]


def _mean(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    axes = attributes["axes"]
    kept = ((1,) if i in axes else (d,) for i, d in enumerate(shapes[0]))
    left = ((d,) for i, d in enumerate(shapes[0]) if i not in axes)
    return [tuple(d for axis in (kept if attributes["keep"] else left) for d in axis)]


def _layer_norm(shapes: Sequence[Shape], _: Attributes) -> list[Shape]:
    x, scale, bias = shapes
    if scale != x[-1:] or bias != x[-1:]:
        raise ValueError(f"scale {scale} and bias {bias} meet rows of {x[-1]}")
    return [x]


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


def _conv2d(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    x, weight = shapes[:2]
    groups, axis = attributes["groups"], attributes["channel_axis"]
    outputs, group_inputs, *window = (_length(d) for d in weight)
    if x[axis] != group_inputs * groups or outputs % groups:
        raise ValueError(f"{x[axis]} channels meet {weight} in {groups} groups")
    if shapes[2:] and shapes[2] != (outputs,):
        raise ValueError(f"a bias of {shapes[2]} for {outputs} channels")
    height, width = window
    stride, padding = attributes["stride"], attributes["padding"]
    return [windowed_shape(x, outputs, (height, width), stride, padding, axis)]


def _pool(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    channels = _length(shapes[0][attributes["channel_axis"]])
    for length, padding in zip(attributes["window"], attributes["padding"], strict=True):
        if max(padding) >= length:
            raise ValueError(f"a window of {length} can lie wholly in the padding {padding}")
    return [windowed_shape(shapes[0], channels, **attributes)]


def _pad(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    padding = zip(shapes[0], attributes["padding"], strict=True)
    return [tuple(_length(d) + sum(ends) if any(ends) else d for d, ends in padding)]


def _length(dimension: Dimension) -> int:
    if not isinstance(dimension, int):
        raise ValueError(f"an axis of unknown length {dimension}")
    return dimension


def _reshape(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    old, new = shapes[0], attributes["shape"]
    if _elements(old) != _elements(new):
        raise ValueError(f"{old} has other elements than {new}")
    if len(_elements(new)[1]) > 1:
        raise ValueError(f"{new} has more than one axis of unknown length")
    return [new]


def _elements(shape: Shape) -> tuple[int, list[str]]:
    names = sorted(d for d in shape if isinstance(d, str))
    return prod(d for d in shape if isinstance(d, int)), names


def _transpose(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    order = attributes["order"]
    if sorted(order) != list(range(len(shapes[0]))):
        raise ValueError(f"{order} is no order of {shapes[0]}")
    return [tuple(shapes[0][axis] for axis in order)]


def _slice(shapes: Sequence[Shape], attributes: Attributes) -> list[Shape]:
    axis, start, stop = attributes["axis"], attributes["start"], attributes["stop"]
    length = shapes[0][axis]
    if not isinstance(length, int) or not 0 <= start < stop <= length:
        raise ValueError(f"an axis of {length} has no elements {start} to {stop}")
    return [(*shapes[0][:axis], stop - start, *shapes[0][axis + 1 :])]


FLOAT, DYNAMIC = "float", "dynamic"
"""`activations` of a linear: fp32, or int8 per row with a scale found at run time."""

NONE, RELU, RELU6 = "none", "relu", "relu6"
"""`activation` of a convolution."""


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
        _row("matmul", 2, _matmul, "transposed"),  # transposed: the right side's last two axes
        _row("add", 2, _binary),
        _row("sub", 2, _binary),
        _row("mul", 2, _binary),
        _row("div", 2, _binary),
        _row("maximum", 2, _binary),
        _row("abs", 1, _same),
        _row("log", 1, _same),
        _row("sqrt", 1, _same),
        _row("sin", 1, _same),
        _row("cos", 1, _same),
        _row("relu", 1, _same),
        _row("sigmoid", 1, _same),
        _row("tanh", 1, _same),
        _row("gelu", 1, _same, "approximate"),  # by the normal distribution, or by a tanh
        _row("softmax", 1, _same),  # last axis
        _row("log_softmax", 1, _same),  # last axis
        _row("sum", 1, _sum, "axis"),  # the axis disappears
        _row("mean", 1, _mean, "axes", "keep"),  # keep: axes of length 1 stay
        # x [..., n], scale [n], bias [n]: torch's, over the last axis
        _row("layer_norm", 3, _layer_norm, "epsilon"),
        _row("concat", (1, 64), _concat, "axis"),
        _row("split", 1, _split, "axis", "parts"),  # equal parts
        _row("slice", 1, _slice, "axis", "start", "stop"),
        _row("unsqueeze", 1, _unsqueeze, "axis"),
        _row("reshape", 1, _reshape, "shape"),  # of at most one named axis
        _row("transpose", 1, _transpose, "order"),  # output axis i is input axis order[i]
        # Images have their channels along `channel_axis`, see windows.py.
        # x, weight [out, in / groups, h, w], bias [out]; zero padding, then the activation
        _row(
            "conv2d",
            (2, 3),
            _conv2d,
            *("stride", "padding", "groups", "activation", "channel_axis"),
        ),
        _row("max_pool2d", 1, _pool, "window", "stride", "padding", "channel_axis"),
        # padding is not counted
        _row("avg_pool2d", 1, _pool, "window", "stride", "padding", "channel_axis"),
        _row("relu6", 1, _same),  # min(max(x, 0), 6)
        _row("hard_swish", 1, _same),  # x * min(max(x + 3, 0), 6) / 6
        _row("pad", 1, _pad, "padding", "value"),  # padding: (before, after) of each axis
        _row("cast", 1, _same),  # to float32
        # int8 values are what their scale and zero point say: see Graph.quantization
        _row("quantize", 1, _same),  # of float32, or of uint8 with a scale
        _row("dequantize", 1, _same),
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
