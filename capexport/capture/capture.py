"""torch module -> IR graph, through torch.export."""

import inspect
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.fx import Node as FxNode

from capexport.capture.importers import IMPORTERS, KEYWORDS
from capexport.capture.refusals import combine, refuse
from capexport.errors import UnsupportedError
from capexport.ir.graph import Array, Constant, Graph, Node
from capexport.ir.ops import check_shapes, infer_shapes
from capexport.spec.signature import Dimension, Shape, TensorSpec

_EXAMPLE_LENGTHS = (3, 5, 7, 11)
"""Length of each named axis in the example inputs. torch.export bakes in 0 and 1; primes keep two
axes from being merged by accident."""
_TRIED_LENGTHS = (1, 2, 3, 5, 97, 4096)
"""A length that torch writes in a long way is an axis if it is that axis' for all of these."""


def capture(
    module: nn.Module, name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> Graph:
    """The module's forward pass as a graph with the given input and output names.

    Args:
        module: takes `inputs` in order and returns a tensor or a tuple, `outputs` in order.
        inputs, outputs: named axes stay free; the module must not depend on their length.

    Raises:
        UnsupportedError: operators or arguments have no importer (one error names them all), or a
            named axis is not free.
        GraphError: an output has another shape than its spec.
    """
    return _Capture(_exported(module, inputs), inputs, outputs).graph(name)


def _exported(module: nn.Module, inputs: Sequence[TensorSpec]) -> ExportedProgram:
    names = sorted({d for spec in inputs for d in spec.shape if isinstance(d, str)})
    lengths: dict[Dimension, int] = dict(zip(names, _EXAMPLE_LENGTHS, strict=False))
    axes = {axis: Dim(axis, min=1, max=4096) for axis in names}
    examples = tuple(_example(spec, lengths) for spec in inputs)
    dynamic = [
        {i: axes[d] for i, d in enumerate(spec.shape) if isinstance(d, str)} for spec in inputs
    ]
    shapes = _as_arguments(module, dynamic)
    with warnings.catch_warnings():
        # torch.export warns about deprecated classes of its own, which no caller can mend.
        warnings.simplefilter("ignore", FutureWarning)
        program = torch.export.export(module.eval(), examples, dynamic_shapes=shapes)
        # An empty table keeps linear and softmax whole.
        decomposed: ExportedProgram = program.run_decompositions({})
    return decomposed


def _as_arguments(module: nn.Module, of_inputs: Sequence[Any]) -> tuple[Any, ...]:
    """One entry per parameter of forward: what `*tensors` takes together is one."""
    parameters = inspect.signature(module.forward).parameters.values()
    named = sum(parameter.kind is not parameter.VAR_POSITIONAL for parameter in parameters)
    rest = tuple(of_inputs[named:])
    return (*of_inputs[:named], rest) if rest else tuple(of_inputs)


def _example(spec: TensorSpec, lengths: dict[Dimension, int]) -> torch.Tensor:
    shape = [lengths[d] if isinstance(d, str) else d for d in spec.shape]
    return torch.zeros(shape, dtype=getattr(torch, spec.dtype))


class _Capture:
    """One conversion under way: the nodes so far, and the name of every fx value."""

    def __init__(
        self,
        program: ExportedProgram,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
    ) -> None:
        self._fx = program.graph
        self._inputs, self._outputs = inputs, outputs
        self._reserved = {spec.name for spec in (*inputs, *outputs)}
        signature = program.graph_signature
        self._stored_as = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        self._stored: dict[str, Any] = {**program.state_dict, **program.constants}
        self._axes: dict[str, str] = {}  # torch's symbol -> our name of the axis
        self._names: dict[Any, str] = {}  # fx node, or (fx node, output number) -> value name
        self._nodes: list[Node] = []
        self._values: dict[str, TensorSpec] = {}
        self._constants: dict[str, Constant] = {}

    def graph(self, name: str) -> Graph:
        self._take_inputs()
        self._name_outputs()
        self._import_all()
        self._check_outputs(name)
        graph = Graph(
            name=name,
            inputs=tuple(spec.name for spec in self._inputs),
            outputs=tuple(spec.name for spec in self._outputs),
            nodes=tuple(self._nodes),
            values=self._values,
            constants=self._constants,
        )
        return check_shapes(graph)

    def emit(self, op: str, inputs: Sequence[Any], node: FxNode, **attributes: Any) -> None:
        """See `importers.Emitter`."""
        value = node.meta["val"]
        if isinstance(value, list | tuple):
            outputs = [self._write((node, i), f"{node.name}_{i}", v) for i, v in enumerate(value)]
        else:
            outputs = [self._write(node, node.name, value)]
        names = tuple(self._operand(argument) for argument in inputs)
        self._nodes.append(Node(op, names, tuple(outputs), attributes))

    def step(
        self, op: str, inputs: Sequence[Any], node: FxNode, part: str, **attributes: Any
    ) -> str:
        """See `importers.Emitter`."""
        names = tuple(self._operand(argument) for argument in inputs)
        name = f"{node.name}_{part}"
        new = Node(op, names, (name,), attributes)
        known: dict[str, Any] = {**self._values, **self._constants}
        (shape,) = infer_shapes(new, [known[n].shape for n in names])
        self._values[name] = TensorSpec(name, shape)
        self._nodes.append(new)
        return name

    def shape(self, node: FxNode) -> Shape:
        """See `importers.Emitter`."""
        return self._shape(node.meta["val"], node.name)

    def _import_all(self) -> None:
        """Every operator, so that one error names all that cannot be imported."""
        refusals = []
        for node in (n for n in self._fx.nodes if n.op == "call_function"):
            try:
                self._import(node)
            except UnsupportedError as error:
                refusals.append(error)
                self._stand_in(node)
        if refusals:
            raise combine(refusals)

    def _stand_in(self, node: FxNode) -> None:
        """Give a refused node's values names, so that the nodes that read them can be looked at."""
        value = node.meta["val"]
        for i, part in enumerate(value if isinstance(value, list | tuple) else ()):
            self._write((node, i), f"{node.name}_{i}", part)
        if not isinstance(value, list | tuple):
            self._write(node, node.name, value)

    def _import(self, node: FxNode) -> None:
        if node.target is operator.getitem:
            return  # `emit` has named every part of the source already
        if isinstance(node.meta.get("val"), torch.SymInt):
            return  # from the length of a named axis: a reshape takes it from its own shape
        importer = IMPORTERS.get(str(node.target))
        if importer is None:
            raise refuse(node, "there is no importer for this operator")
        if unknown := set(node.kwargs) - KEYWORDS.get(str(node.target), frozenset()):
            # alpha=, dtype=, ...: each of them changes the result
            raise refuse(node, f"keyword arguments {sorted(unknown)} are not imported")
        importer(self, node)

    # ------------------------------------------------------------ names
    def _take_inputs(self) -> None:
        given = [n for n in self._fx.find_nodes(op="placeholder") if n.name not in self._stored_as]
        for node, spec in zip(given, self._inputs, strict=True):
            for length, axis in zip(node.meta["val"].shape, spec.shape, strict=True):
                if isinstance(axis, str) and not isinstance(length, int):
                    self._axes[str(length)] = axis
            self._names[node] = spec.name
            self._values[spec.name] = spec

    def _name_outputs(self) -> None:
        results: Any = self._fx.output_node().args[0]
        for node, spec in zip(results, self._outputs, strict=True):
            if node.target is operator.getitem:
                self._names[tuple(node.args)] = spec.name
            if node in self._names:
                raise refuse(node, f"output {spec.name!r} is an input or another output")
            self._names[node] = spec.name

    def _write(self, key: Any, fallback: str, value: Any) -> str:
        if fallback in self._reserved:  # torch calls the result of mean() "mean"
            fallback += ".value"
        name = self._names.setdefault(key, fallback)
        dtype = str(value.dtype).removeprefix("torch.")
        self._values[name] = TensorSpec(name, self._shape(value, name), dtype)
        return name

    def _shape(self, value: torch.Tensor, where: str) -> Shape:
        return tuple(d if isinstance(d, int) else self._axis(d, where) for d in value.shape)

    def _axis(self, length: torch.SymInt, where: str) -> str:
        """Name of the axis that is always of this length; torch writes it as (n * n) // n too."""
        expression = length.node.expr
        for symbol in expression.free_symbols:
            is_itself = all(expression.subs(symbol, n) == n for n in _TRIED_LENGTHS)
            if is_itself and str(symbol) in self._axes:
                return self._axes[str(symbol)]
        raise UnsupportedError(
            f"an axis of length {length} is computed from the named axes",
            where=where,
            hint="reshape so that every axis is a number or one named axis",
        )

    # ------------------------------------------------------------ constants
    def _operand(self, argument: Any) -> str:
        if isinstance(argument, str):
            return argument
        if isinstance(argument, int | float):
            return self._scalar(float(argument))
        if argument.name in self._stored_as:
            return self._constant(self._stored_as[argument.name])
        if argument.target is operator.getitem:
            return self._names[tuple(argument.args)]
        if argument not in self._names:
            raise refuse(argument, "the length of a named axis is no number to compute with")
        return self._names[argument]

    def _constant(self, name: str) -> str:
        if name not in self._constants:
            array: Array = self._stored[name].detach().contiguous().numpy()
            self._constants[name] = Constant(name, array)
        return name

    def _scalar(self, number: float) -> str:
        name = f"scalar_{number!r}"
        self._constants.setdefault(name, Constant(name, np.array(number, np.float32)))
        return name

    def _check_outputs(self, graph: str) -> None:
        for spec in self._outputs:
            found = self._values.get(spec.name)
            if found != spec:
                raise UnsupportedError(
                    f"output {spec.name!r} is {found}, the signature says {spec}",
                    where=f"graph {graph}",
                    hint="mend the captioner's signature or its forward pass",
                )
