"""Importers of operators that move data and compute nothing."""

from typing import Any

from torch.fx import Node as FxNode

from capexport.capture.importers import Emitter, arguments, imports, shape_of
from capexport.capture.refusals import refuse


@imports("aten.unsqueeze.default")
def _unsqueeze(emitter: Emitter, node: FxNode) -> None:
    (axis,) = arguments(node, 0)
    emitter.emit("unsqueeze", node.args[:1], node, axis=axis % len(shape_of(node)))


@imports("aten.slice.Tensor")
def _slice(emitter: Emitter, node: FxNode) -> None:
    axis, start, stop, step = arguments(node, 0, None, None, 1)
    source = _source(node)
    axis %= len(shape_of(source))
    length = shape_of(source)[axis]
    if step != 1 or not isinstance(length, int):
        raise refuse(node, "only a slice of step 1 along an axis of known length is imported")
    first, last, _ = slice(start, stop).indices(length)
    emitter.emit("slice", [source], node, axis=axis, start=first, stop=last)


@imports(
    "aten.view.default",
    "aten.reshape.default",
    "aten._unsafe_view.default",
    "aten.squeeze.dim",
)
def _reshape(emitter: Emitter, node: FxNode) -> None:
    emitter.emit("reshape", node.args[:1], node, shape=emitter.shape(node))


@imports("aten.clone.default", "aten.alias.default", keywords=("memory_format",))
def _clone(emitter: Emitter, node: FxNode) -> None:
    """The same elements in another order of memory, which a graph does not have."""
    emitter.emit("reshape", node.args[:1], node, shape=emitter.shape(node))


@imports("aten.permute.default")
def _permute(emitter: Emitter, node: FxNode) -> None:
    (order,) = arguments(node, None)
    rank = len(shape_of(node))
    emitter.emit("transpose", node.args[:1], node, order=tuple(axis % rank for axis in order))


@imports("aten.transpose.int")
def _transpose(emitter: Emitter, node: FxNode) -> None:
    first, second = arguments(node, None, None)
    order = list(range(len(shape_of(node))))
    order[first], order[second] = order[second], order[first]
    emitter.emit("transpose", node.args[:1], node, order=tuple(order))


def _source(node: FxNode) -> Any:
    """The fx node whose value is moved."""
    return node.args[0]
