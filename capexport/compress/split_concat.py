"""linear(concat(a, b)) -> linear(a) + linear(b), so that each part is quantized in its own range.

What a captioner concatenates differs in scale: image features reach 10 where an LSTM's output stays
within 1. One int8 range over both leaves the smaller one a handful of steps.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.passes.drop_unread import drop_unread
from capexport.spec.signature import TensorSpec


def split_concat(graph: Graph) -> Graph:
    """Split every linear with a constant weight that reads a concatenation along its last axis.

    The first part keeps the bias; a relu moves behind the sum. What nothing reads any more is
    dropped.
    """
    producers = graph.producers()
    nodes: list[Node] = []
    values, constants = dict(graph.values), dict(graph.constants)
    for node in graph.nodes:
        concat = producers.get(node.inputs[0])
        if node.op != "linear" or concat is None or not _joins_columns(graph, concat):
            nodes.append(node)
            continue
        weights = list(_column_blocks(graph, node, concat))
        constants.update({weight.name: weight for weight in weights})
        output = graph.values[node.outputs[0]]
        for new in _sum_of_linears(node, concat, weights):
            nodes.append(new)
            values[new.outputs[0]] = TensorSpec(new.outputs[0], output.shape, output.dtype)
    return drop_unread(replace(graph, nodes=tuple(nodes), values=values, constants=constants))


def _joins_columns(graph: Graph, node: Node) -> bool:
    last = len(graph.shape(node.outputs[0])) - 1
    return node.op == "concat" and node.attributes["axis"] == last


def _column_blocks(graph: Graph, node: Node, concat: Node) -> Iterator[Constant]:
    """The columns of the weight that belong to each part of the concatenation."""
    weight = graph.constants[node.inputs[1]]
    first = 0
    for i, part in enumerate(concat.inputs):
        width = graph.shape(part)[-1]
        assert isinstance(width, int)
        block = np.ascontiguousarray(weight.data[:, first : first + width])
        yield replace(weight, name=f"{weight.name}.{i}", data=block)
        first += width


def _sum_of_linears(node: Node, concat: Node, weights: list[Constant]) -> Iterator[Node]:
    """The linears, the additions in between, and the relu when the linear had one."""
    output, bias = node.outputs[0], node.inputs[2:]
    plain = {**node.attributes, "relu": False}
    total = output + ".0"
    yield Node("linear", (concat.inputs[0], weights[0].name, *bias), (total,), plain)
    for i, part in enumerate(concat.inputs[1:], 1):
        yield Node("linear", (part, weights[i].name), (f"{output}.{i}",), plain)
        is_last = i == len(weights) - 1 and not node.attributes["relu"]
        sum_so_far = output if is_last else f"{output}.sum{i}"
        yield Node("add", (total, f"{output}.{i}"), (sum_so_far,))
        total = sum_so_far
    if node.attributes["relu"]:
        yield Node("relu", (total,), (output,))
