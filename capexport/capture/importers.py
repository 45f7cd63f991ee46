"""One function per aten operator: its fx arguments -> IR nodes.

An operator, argument or keyword that no importer knows raises: nothing is skipped in silence.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from torch.fx import Node as FxNode

from capexport.errors import UnsupportedError
from capexport.ir.ops import FLOAT


class Emitter(Protocol):
    """What an importer sees of the capture under way."""

    def emit(self, op: str, inputs: Sequence[Any], node: FxNode, **attributes: Any) -> None:
        """Add an IR node that writes the fx node's value; inputs are fx nodes or numbers."""


Importer = Callable[[Emitter, FxNode], None]
IMPORTERS: dict[str, Importer] = {}


def imports(*targets: str) -> Callable[[Importer], Importer]:
    """Register the importer of aten operators, by their full names."""

    def register(function: Importer) -> Importer:
        IMPORTERS.update(dict.fromkeys(targets, function))
        return function

    return register


def refuse(node: FxNode, why: str) -> UnsupportedError:
    """The error for an fx node that cannot be imported, with its source."""
    return UnsupportedError(
        f"{node.target}: {why}",
        where=node.format_node() or node.name,
        hint="write it with the operators of capexport/ir/ops.py, or add an importer",
    )


def _shape(node: FxNode) -> tuple[Any, ...]:
    value = node.meta["val"]
    return tuple((value[0] if isinstance(value, list | tuple) else value).shape)


def _arguments(node: FxNode, *defaults: Any) -> list[Any]:
    """Positional arguments after the first, filled up with aten's defaults."""
    given: list[Any] = list(node.args[1:])
    return given + list(defaults[len(given) :])


def _elementwise(op: str, arity: int) -> Importer:
    def importer(emitter: Emitter, node: FxNode) -> None:
        if len(node.args) != arity:
            raise refuse(node, f"{len(node.args)} arguments, {arity} expected")
        emitter.emit(op, node.args, node)

    return importer


IMPORTERS["aten.add.Tensor"] = _elementwise("add", 2)
IMPORTERS["aten.sub.Tensor"] = _elementwise("sub", 2)
IMPORTERS["aten.mul.Tensor"] = _elementwise("mul", 2)
IMPORTERS["aten.matmul.default"] = _elementwise("matmul", 2)
IMPORTERS["aten.relu.default"] = _elementwise("relu", 1)
IMPORTERS["aten.sigmoid.default"] = _elementwise("sigmoid", 1)
IMPORTERS["aten.tanh.default"] = _elementwise("tanh", 1)


@imports("aten.linear.default")
def _linear(emitter: Emitter, node: FxNode) -> None:
    inputs = [argument for argument in node.args if argument is not None]
    emitter.emit("linear", inputs, node, activations=FLOAT, relu=False)


@imports("aten.embedding.default")
def _embedding(emitter: Emitter, node: FxNode) -> None:
    emitter.emit("embedding", node.args[:2], node)  # the other arguments matter in training only


def _over_last_axis(op: str) -> Importer:
    def importer(emitter: Emitter, node: FxNode) -> None:
        axis, dtype = _arguments(node, -1, None)
        if dtype is not None:
            raise refuse(node, "a change of dtype is not imported")
        if axis % len(_shape(node)) != len(_shape(node)) - 1:
            raise refuse(node, f"axis {axis}: only the last axis is imported")
        emitter.emit(op, node.args[:1], node)

    return importer


IMPORTERS["aten.softmax.int"] = _over_last_axis("softmax")
IMPORTERS["aten.log_softmax.int"] = _over_last_axis("log_softmax")


@imports("aten.sum.dim_IntList")
def _sum(emitter: Emitter, node: FxNode) -> None:
    axes, keep = _arguments(node, None, False)
    if axes is None or len(axes) != 1 or keep:
        raise refuse(node, "only a sum over one axis that disappears is imported")
    source = node.args[0]
    assert isinstance(source, FxNode)
    emitter.emit("sum", [source], node, axis=axes[0] % len(_shape(source)))


@imports("aten.cat.default")
def _concat(emitter: Emitter, node: FxNode) -> None:
    (axis,) = _arguments(node, 0)
    parts = node.args[0]
    assert isinstance(parts, list | tuple)
    emitter.emit("concat", parts, node, axis=axis % len(_shape(node)))


@imports("aten.split.Tensor")
def _split(emitter: Emitter, node: FxNode) -> None:
    size, axis = _arguments(node, None, 0)
    parts = node.meta["val"]
    axis %= len(_shape(node))
    if any(part.shape[axis] != size for part in parts):
        raise refuse(node, f"pieces of {size} are not equal")
    emitter.emit("split", node.args[:1], node, axis=axis, parts=len(parts))


@imports("aten.unsqueeze.default")
def _unsqueeze(emitter: Emitter, node: FxNode) -> None:
    (axis,) = _arguments(node, 0)
    emitter.emit("unsqueeze", node.args[:1], node, axis=axis % len(_shape(node)))
