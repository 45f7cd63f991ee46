"""One function per aten operator: its fx arguments -> IR nodes.

An operator, argument or keyword that no importer knows raises: nothing is skipped in silence.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from torch.fx import Node as FxNode

from capexport.capture.refusals import refuse
from capexport.ir.ops import FLOAT
from capexport.spec.signature import Shape


class Emitter(Protocol):
    """What an importer sees of the capture under way."""

    def emit(self, op: str, inputs: Sequence[Any], node: FxNode, **attributes: Any) -> None:
        """Add an IR node that writes the fx node's value.

        Inputs are fx nodes, numbers, or values that `step` returned.
        """

    def step(
        self, op: str, inputs: Sequence[Any], node: FxNode, part: str, **attributes: Any
    ) -> str:
        """Add an IR node on the way to the fx node's value; returns its own value."""

    def shape(self, node: FxNode) -> Shape:
        """Shape of the fx node's value, with named axes."""


Importer = Callable[[Emitter, FxNode], None]
IMPORTERS: dict[str, Importer] = {}
KEYWORDS: dict[str, frozenset[str]] = {}
"""Keyword arguments that an importer looks at; any other one is refused."""


def imports(*targets: str, keywords: Sequence[str] = ()) -> Callable[[Importer], Importer]:
    """Register the importer of aten operators, by their full names."""

    def register(function: Importer) -> Importer:
        IMPORTERS.update(dict.fromkeys(targets, function))
        KEYWORDS.update(dict.fromkeys(targets, frozenset(keywords)))
        return function

    return register


def shape_of(node: FxNode) -> tuple[Any, ...]:
    """Shape of an fx node's value, or of the first of its values."""
    value = node.meta["val"]
    return tuple((value[0] if isinstance(value, list | tuple) else value).shape)


def arguments(node: FxNode, *defaults: Any) -> list[Any]:
    """Positional arguments after the first, filled up with aten's defaults."""
    given: list[Any] = list(node.args[1:])
    return given + list(defaults[len(given) :])


def elementwise(op: str, arity: int) -> Importer:
    """The importer of an operator that the graph has under the same meaning."""

    def importer(emitter: Emitter, node: FxNode) -> None:
        if len(node.args) != arity:
            raise refuse(node, f"{len(node.args)} arguments, {arity} expected")
        emitter.emit(op, node.args, node)

    return importer


IMPORTERS["aten.add.Tensor"] = elementwise("add", 2)
IMPORTERS["aten.sub.Tensor"] = elementwise("sub", 2)
IMPORTERS["aten.mul.Tensor"] = elementwise("mul", 2)
IMPORTERS["aten.div.Tensor"] = elementwise("div", 2)
IMPORTERS["aten.maximum.default"] = elementwise("maximum", 2)
IMPORTERS["aten.abs.default"] = elementwise("abs", 1)
IMPORTERS["aten.log.default"] = elementwise("log", 1)
IMPORTERS["aten.sqrt.default"] = elementwise("sqrt", 1)
IMPORTERS["aten.sin.default"] = elementwise("sin", 1)
IMPORTERS["aten.cos.default"] = elementwise("cos", 1)
IMPORTERS["aten.matmul.default"] = elementwise("matmul", 2)
IMPORTERS["aten.relu.default"] = elementwise("relu", 1)
IMPORTERS["aten.sigmoid.default"] = elementwise("sigmoid", 1)
IMPORTERS["aten.tanh.default"] = elementwise("tanh", 1)


@imports("aten.gelu.default", keywords=("approximate",))
def _gelu(emitter: Emitter, node: FxNode) -> None:
    tanh = node.kwargs.get("approximate", "none") == "tanh"
    emitter.emit("gelu", node.args[:1], node, approximate=tanh)


@imports("aten.linear.default")
def _linear(emitter: Emitter, node: FxNode) -> None:
    inputs = [argument for argument in node.args if argument is not None]
    emitter.emit("linear", inputs, node, activations=FLOAT, relu=False)


@imports("aten.embedding.default")
def _embedding(emitter: Emitter, node: FxNode) -> None:
    emitter.emit("embedding", node.args[:2], node)  # the other arguments matter in training only


def _over_last_axis(op: str) -> Importer:
    def importer(emitter: Emitter, node: FxNode) -> None:
        axis, dtype = arguments(node, -1, None)
        if dtype is not None:
            raise refuse(node, "a change of dtype is not imported")
        if axis % len(shape_of(node)) != len(shape_of(node)) - 1:
            raise refuse(node, f"axis {axis}: only the last axis is imported")
        emitter.emit(op, node.args[:1], node)

    return importer


IMPORTERS["aten.softmax.int"] = _over_last_axis("softmax")
IMPORTERS["aten.log_softmax.int"] = _over_last_axis("log_softmax")


@imports("aten.sum.dim_IntList")
def _sum(emitter: Emitter, node: FxNode) -> None:
    axes, keep = arguments(node, None, False)
    if axes is None or len(axes) != 1 or keep:
        raise refuse(node, "only a sum over one axis that disappears is imported")
    source = node.args[0]
    assert isinstance(source, FxNode)
    emitter.emit("sum", [source], node, axis=axes[0] % len(shape_of(source)))


@imports("aten.reciprocal.default")
def _reciprocal(emitter: Emitter, node: FxNode) -> None:
    emitter.emit("div", [1, *node.args], node)


@imports("aten.mean.dim")
def _mean(emitter: Emitter, node: FxNode) -> None:
    axes, keep = arguments(node, None, False)
    source = node.args[0]
    assert isinstance(source, FxNode)
    rank = len(shape_of(source))
    every = sorted(axis % rank for axis in (axes or range(rank)))
    emitter.emit("mean", [source], node, axes=tuple(every), keep=keep)


@imports("aten.hardtanh.default", "aten.clamp.default", "aten.clamp_min.default")
def _clamp(emitter: Emitter, node: FxNode) -> None:
    defaults = (-1.0, 1.0) if "hardtanh" in str(node.target) else (None, None)
    low, high = arguments(node, *defaults)
    if (low, high) == (0, 6):
        emitter.emit("relu6", node.args[:1], node)
    elif (low, high) == (0, None):
        emitter.emit("relu", node.args[:1], node)
    elif low is not None and high is None:
        emitter.emit("maximum", [node.args[0], low], node)
    else:
        raise refuse(node, f"limits {low} and {high}: only a lower one, or (0, 6), is imported")


@imports("aten.layer_norm.default")
def _layer_norm(emitter: Emitter, node: FxNode) -> None:
    axes, scale, bias, epsilon, _ = arguments(node, None, None, None, 1e-5, True)
    if len(axes) != 1 or scale is None or bias is None:
        raise refuse(node, "only a norm over the last axis with scale and bias is imported")
    emitter.emit("layer_norm", [node.args[0], scale, bias], node, epsilon=epsilon)


@imports("aten.cat.default")
def _concat(emitter: Emitter, node: FxNode) -> None:
    (axis,) = arguments(node, 0)
    parts = node.args[0]
    assert isinstance(parts, list | tuple)
    emitter.emit("concat", parts, node, axis=axis % len(shape_of(node)))


@imports("aten.split.Tensor")
def _split(emitter: Emitter, node: FxNode) -> None:
    size, axis = arguments(node, None, 0)
    parts = node.meta["val"]
    axis %= len(shape_of(node))
    if any(part.shape[axis] != size for part in parts):
        raise refuse(node, f"pieces of {size} are not equal")
    emitter.emit("split", node.args[:1], node, axis=axis, parts=len(parts))
