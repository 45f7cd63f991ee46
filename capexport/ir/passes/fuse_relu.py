"""relu(linear(x)) -> linear(x, relu=True), and a convolution with its relu or relu6 likewise."""

from dataclasses import replace

from capexport.ir.graph import Graph, Node
from capexport.ir.ops import NONE, RELU, RELU6


def fuse_relu(graph: Graph) -> Graph:
    """Let a linear or convolution apply the activation that follows it.

    Only where the activation is its one reader and it is no output of the graph: otherwise
    somebody would see the value after the activation in place of the value before it.
    """
    producers = graph.producers()
    fused: dict[str, Node] = {}  # value before the activation -> node that writes the one after it
    for node in graph.nodes:
        before = node.inputs[0]
        source = producers.get(before)
        if source is None or before in graph.outputs or len(graph.users(before)) > 1:
            continue
        if new := _with_activation(source, node):
            fused[before] = new
    written = {new.outputs[0] for new in fused.values()}
    nodes = [
        fused.get(node.outputs[0], node) for node in graph.nodes if node.outputs[0] not in written
    ]
    values = {name: spec for name, spec in graph.values.items() if name not in fused}
    return replace(graph, nodes=tuple(nodes), values=values)


def _with_activation(source: Node, node: Node) -> Node | None:
    """The source writing what `node` writes; None where it cannot."""
    new = replace(source, outputs=node.outputs)
    if source.op == "linear" and node.op == RELU and not source.attributes["relu"]:
        return new.with_attributes(relu=True)
    if (
        source.op == "conv2d"
        and node.op in (RELU, RELU6)
        and source.attributes["activation"] == NONE
    ):
        return new.with_attributes(activation=node.op)
    return None
