"""relu(linear(x)) -> linear(x, relu=True)."""

from dataclasses import replace

from capexport.ir.graph import Graph, Node


def fuse_relu(graph: Graph) -> Graph:
    """Let a linear apply the relu that follows it.

    Only where the relu is the linear's one reader and the linear is no output of the graph:
    otherwise somebody would see the value after the relu in place of the value before it.
    """
    producers = graph.producers()
    fused: dict[str, Node] = {}  # value before the relu -> linear that writes the one after it
    for node in graph.nodes:
        if node.op != "relu" or node.inputs[0] in graph.outputs:
            continue
        linear = producers.get(node.inputs[0])
        if linear is None or linear.op != "linear" or len(graph.users(node.inputs[0])) > 1:
            continue
        new = replace(linear, outputs=node.outputs).with_attributes(relu=True)
        fused[node.inputs[0]] = new
    written = {new.outputs[0] for new in fused.values()}
    nodes = [
        fused.get(node.outputs[0], node)
        for node in graph.nodes
        if not (node.op == "relu" and node.outputs[0] in written)
    ]
    values = {name: spec for name, spec in graph.values.items() if name not in fused}
    return replace(graph, nodes=tuple(nodes), values=values)
