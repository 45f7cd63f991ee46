"""Nodes, values and constants that no output depends on -> gone."""

from dataclasses import replace

from capexport.ir.graph import Graph


def drop_unread(graph: Graph) -> Graph:
    """Keep what an output depends on, and every input."""
    read = set(graph.outputs)
    nodes = []
    for node in reversed(graph.nodes):
        if read.intersection(node.outputs):
            read.update(node.inputs)
            nodes.append(node)
    written = {*graph.inputs, *(name for node in nodes for name in node.outputs)}
    return replace(
        graph,
        nodes=tuple(reversed(nodes)),
        values={name: spec for name, spec in graph.values.items() if name in written},
        constants={name: value for name, value in graph.constants.items() if name in read},
        quantization={name: q for name, q in graph.quantization.items() if name in written},
    )
