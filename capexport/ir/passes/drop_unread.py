"""A graph without the nodes, values and constants that nothing reads."""

from dataclasses import replace

from capexport.ir.graph import Graph, Node


def drop_unread(graph: Graph) -> Graph:
    """Keep what the outputs need; inputs stay, read or not."""
    read = set(graph.outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if read.intersection(node.outputs):
            kept.insert(0, node)
            read.update(node.inputs)
    written = {*graph.inputs, *(name for node in kept for name in node.outputs)}
    return replace(
        graph,
        nodes=tuple(kept),
        values={name: spec for name, spec in graph.values.items() if name in written},
        constants={name: value for name, value in graph.constants.items() if name in read},
    )
