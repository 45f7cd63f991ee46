"""Images [n, c, h, w] -> [n, h, w, c], as TFLite wants them, with no transpose left in between.

A value is "held" in some order of its axes. Windows hold their result channels last, element-wise
operators keep the order of what they read, a transpose only changes what the order is called, and
whatever else depends on the axes reads the value as it was. A graph whose image comes and whose
features go channels last needs no transpose at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.passes.drop_unread import drop_unread
from capexport.ir.windows import CHANNELS_LAST
from capexport.spec.signature import Shape, TensorSpec

Order = tuple[int, ...]
"""Axis i of the held value is axis order[i] of the value."""

LAST: Order = (0, 2, 3, 1)
_WINDOWS = ("conv2d", "max_pool2d", "avg_pool2d")
_ELEMENTWISE = (
    *("relu", "relu6", "hard_swish", "sigmoid", "tanh", "cast", "add", "sub", "mul"),
    *("quantize", "dequantize"),
)


@dataclass(frozen=True)
class _Held:
    """A value of the new graph, and how its axes lie."""

    name: str
    order: Order

    @property
    def as_it_was(self) -> bool:
        return self.order == tuple(range(len(self.order)))


def channels_last(graph: Graph) -> Graph:
    """The same function with windows over [n, h, w, c] and as few transposes as that needs."""
    return _Rewriting(graph).graph()


class _Rewriting:
    """The nodes so far, and how each value of the old graph is held."""

    def __init__(self, graph: Graph) -> None:
        self._old = graph
        self._nodes: list[Node] = []
        self._values = {name: graph.values[name] for name in graph.inputs}
        self._constants = dict(graph.constants)
        self._quantization = dict(graph.quantization)
        self._held = {name: self._unmoved(name) for name in (*graph.inputs, *graph.constants)}

    def graph(self) -> Graph:
        for node in self._old.nodes:
            rule = _RULES.get(node.op)
            if rule is None or not rule(self, node):
                self._keep(node)
        for name in self._old.outputs:
            self._write_as_it_was(name)
        new = replace(
            self._old,
            nodes=tuple(self._nodes),
            values=self._values,
            constants=self._constants,
            quantization=self._quantization,
        )
        return drop_unread(new)

    # ------------------------------------------------------------ rules; False: leave it as it is
    def _transpose(self, node: Node) -> bool:
        if node.inputs[0] in self._constants:
            return False
        held = self._held[node.inputs[0]]
        place = {axis: i for i, axis in enumerate(node.attributes["order"])}
        self._held[node.outputs[0]] = _Held(held.name, tuple(place[a] for a in held.order))
        return True

    def _window(self, node: Node) -> bool:
        x = self._in_order(node.inputs[0], LAST)
        new = replace(node, inputs=(x, *node.inputs[1:]))
        self._emit(new.with_attributes(channel_axis=CHANNELS_LAST), node.outputs[0], LAST)
        return True

    def _elementwise(self, node: Node) -> bool:
        rank = len(self._old.shape(node.outputs[0]))
        orders = [self._held[name].order for name in node.inputs if self._rank(name) == rank]
        order = next((o for o in orders if o != tuple(range(rank))), None)
        movable = (name in self._constants or self._rank(name) == rank for name in node.inputs)
        if order is None or not all(movable):
            return False
        names = tuple(self._in_order(name, order) for name in node.inputs)
        self._emit(replace(node, inputs=names), node.outputs[0], order)
        return True

    def _concat(self, node: Node) -> bool:
        order = self._held[node.inputs[0]].order
        names = tuple(self._in_order(name, order) for name in node.inputs)
        axis = order.index(node.attributes["axis"])
        self._emit(replace(node, inputs=names).with_attributes(axis=axis), node.outputs[0], order)
        return True

    def _mean(self, node: Node) -> bool:
        held, axes = self._held[node.inputs[0]], node.attributes["axes"]
        moved = tuple(sorted(held.order.index(axis) for axis in axes))
        left = held.order
        if not node.attributes["keep"]:
            kept = [axis for axis in held.order if axis not in axes]
            left = tuple(sorted(kept).index(axis) for axis in kept)
        new = replace(node, inputs=(held.name,)).with_attributes(axes=moved)
        self._emit(new, node.outputs[0], left)
        return True

    def _pad(self, node: Node) -> bool:
        held = self._held[node.inputs[0]]
        padding = tuple(node.attributes["padding"][axis] for axis in held.order)
        new = replace(node, inputs=(held.name,)).with_attributes(padding=padding)
        self._emit(new, node.outputs[0], held.order)
        return True

    def _keep(self, node: Node) -> None:
        names = tuple(name and self._as_it_was(name) for name in node.inputs)
        self._nodes.append(replace(node, inputs=names))
        for name in node.outputs:
            self._values[name] = self._old.values[name]
            self._held[name] = self._unmoved(name)

    # ------------------------------------------------------------ orders
    def _unmoved(self, name: str) -> _Held:
        return _Held(name, tuple(range(self._rank(name))))

    def _rank(self, name: str) -> int:
        return len(self._old.shape(name))

    def _emit(self, node: Node, value: str, order: Order) -> None:
        """Add a node that writes the old graph's `value` in this order."""
        held = _Held(value, order)
        name = value if held.as_it_was else f"{value}.held"
        self._nodes.append(replace(node, outputs=(name,)))
        self._declare(name, value, order)
        self._held[value] = replace(held, name=name)

    def _declare(self, name: str, value: str, order: Order) -> None:
        shape = tuple(self._old.shape(value)[axis] for axis in order)
        self._values[name] = TensorSpec(name, shape, self._old.dtype(value))
        if value in self._old.quantization:
            self._quantization[name] = self._old.quantization[value]

    def _as_it_was(self, value: str) -> str:
        return self._in_order(value, tuple(range(self._rank(value))))

    def _in_order(self, value: str, order: Order) -> str:
        """Name of a value, or of a constant that broadcasts, with its axes in this order."""
        if value in self._constants:
            return self._constant(self._constants[value], order)
        held = self._held[value]
        if held.order == order:
            return held.name
        name = f"{value}.{''.join(map(str, order))}"
        if name not in self._values:
            self._move(held, order, name)
            self._declare(name, value, order)
        return name

    def _move(self, held: _Held, order: Order, name: str) -> None:
        """A transpose, or a reshape where nothing but axes of length 1 moves."""
        moves = tuple(held.order.index(axis) for axis in order)
        shape = self._values[held.name].shape
        if [i for i in moves if shape[i] != 1] == [i for i in sorted(moves) if shape[i] != 1]:
            new: Shape = tuple(shape[i] for i in moves)
            self._nodes.append(Node("reshape", (held.name,), (name,), {"shape": new}))
        else:
            self._nodes.append(Node("transpose", (held.name,), (name,), {"order": moves}))

    def _constant(self, constant: Constant, order: Order) -> str:
        rank = len(order)
        if constant.data.size == 1 or order == tuple(range(rank)):
            return constant.name
        name = f"{constant.name}.{''.join(map(str, order))}"
        shape = (1,) * (rank - constant.data.ndim) + constant.shape
        data = np.ascontiguousarray(constant.data.reshape(shape).transpose(order))
        quantization = constant.quantization
        if quantization is not None:
            axis = order.index(quantization.axis + rank - constant.data.ndim)
            quantization = replace(quantization, axis=axis)
        self._constants[name] = Constant(name, data, quantization)
        return name

    def _write_as_it_was(self, output: str) -> None:
        """Give the old graph's output its own name again."""
        held = self._held[output]
        if output in self._values:
            return
        if not held.as_it_was:
            self._move(held, tuple(range(len(held.order))), output)
        else:
            same: dict[str, Any] = {"shape": self._values[held.name].shape}
            self._nodes.append(Node("reshape", (held.name,), (output,), same))
        self._declare(output, output, tuple(range(len(held.order))))


_RULES: dict[str, Callable[[_Rewriting, Node], bool]] = {
    "transpose": _Rewriting._transpose,
    "concat": _Rewriting._concat,
    "mean": _Rewriting._mean,
    "pad": _Rewriting._pad,
    **dict.fromkeys(_WINDOWS, _Rewriting._window),
    **dict.fromkeys(_ELEMENTWISE, _Rewriting._elementwise),
}
