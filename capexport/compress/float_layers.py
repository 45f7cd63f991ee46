"""A graph before and after a recipe -> the same with some layers float again, and how each fares.

A layer is a linear's or an embedding's weight, by its name behind `split_concat`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from capexport.compress.split_concat import split_concat
from capexport.ir.evaluate import evaluate, evaluate_node
from capexport.ir.graph import Array, Graph, Node
from capexport.ir.ops import FLOAT

_WEIGHT = {"linear": 1, "embedding": 0}
"""Which input is the weight."""


def with_float_layers(before: Graph, after: Graph, layers: Collection[str]) -> Graph:
    """`after` with float weights, biases and activations in some layers, as `before` has them."""
    floats = split_concat(before).constants
    nodes = tuple(
        node.with_attributes(activations=FLOAT)
        if node.op == "linear" and node.inputs[1] in layers
        else node
        for node in after.nodes
    )
    biases = [
        node.inputs[2]
        for node in after.nodes
        if node.op == "linear" and node.inputs[1] in layers and len(node.inputs) > 2
    ]
    names = {*layers, *biases} & set(floats)
    return replace(after.replace_constants({name: floats[name] for name in names}), nodes=nodes)


def sensitivities(
    before: Graph, after: Graph, samples: Iterable[Mapping[str, Array]]
) -> dict[str, float]:
    """Squared error of each layer's output when it alone is int8, relative to the output's squares.

    Each layer reads what the float graph gives it, so that no error of another is in its own.

    Args:
        samples: inputs of the graph by name.
    """
    exact = split_concat(before)
    nodes = [node for node in after.nodes if _is_int8(after, node)]
    values = {name for node in nodes for name in (*node.inputs, *node.outputs)}
    values -= {"", *exact.constants}
    errors: dict[str, float] = {}
    squares: dict[str, float] = {}
    for sample in samples:
        floats = {**sample, **evaluate(exact, sample, values - set(sample))}
        for node in nodes:
            operands = [
                after.constants[name] if name in after.constants else floats[name]
                for name in node.inputs
                if name
            ]
            wanted = floats[node.outputs[0]]
            got = evaluate_node(after, node, operands)[node.outputs[0]]
            layer = node.inputs[_WEIGHT[node.op]]
            errors[layer] = errors.get(layer, 0.0) + float(np.square(got - wanted).sum())
            squares[layer] = squares.get(layer, 0.0) + float(np.square(wanted).sum())
    return {layer: error / squares[layer] if error else 0.0 for layer, error in errors.items()}


def graph_sensitivity(before: Graph, after: Graph, samples: Iterable[Mapping[str, Array]]) -> float:
    """The same for all outputs of a graph together, everything in it being int8."""
    error = total = 0.0
    for sample in samples:
        wanted, got = evaluate(before, sample), evaluate(after, sample)
        error += sum(float(np.square(got[name] - wanted[name]).sum()) for name in wanted)
        total += sum(float(np.square(wanted[name]).sum()) for name in wanted)
    return error / total if error else 0.0


def _is_int8(graph: Graph, node: Node) -> bool:
    if node.op not in _WEIGHT:
        return False
    weight = graph.constants.get(node.inputs[_WEIGHT[node.op]])
    return weight is not None and weight.quantization is not None
