"""reshape(reshape(x)) -> reshape(x), and a reshape to the same shape -> x."""

from dataclasses import replace

from capexport.ir.graph import Graph, Node
from capexport.ir.passes.drop_unread import drop_unread


def merge_reshapes(graph: Graph) -> Graph:
    """Let every reshape read what came before the reshapes in front of it.

    A reshape that changes nothing is read no more, unless it writes an output of the graph.
    """
    before: dict[str, str] = {}  # value of a reshape -> value before all reshapes
    same: dict[str, str] = {}  # value of a reshape that changes nothing -> the same value
    nodes: list[Node] = []
    for node in graph.nodes:
        inputs = tuple(same.get(name, name) for name in node.inputs)
        if node.op == "reshape":
            source = before.get(inputs[0], inputs[0])
            inputs, output = (source,), node.outputs[0]
            before[output] = source
            if graph.shape(source) == graph.shape(output):
                same[output] = source
        nodes.append(replace(node, inputs=inputs))
    return drop_unread(replace(graph, nodes=tuple(nodes)))
