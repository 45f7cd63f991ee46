"""conv2d(pad(x)) -> conv2d(x) with that padding."""

from dataclasses import replace

from capexport.ir.graph import Graph, Node
from capexport.ir.passes.drop_unread import drop_unread


def fuse_padding(graph: Graph) -> Graph:
    """Let a convolution add the zeros that an operator before it added.

    Runs on graphs as captured, channels first. This is how a padding that differs before and after,
    such as TensorFlow's SAME at stride 2, reaches both formats without an operator of its own.
    """
    producers = graph.producers()
    nodes = tuple(_fused(node, producers.get(node.inputs[0])) for node in graph.nodes)
    return drop_unread(replace(graph, nodes=nodes))


def _fused(node: Node, pad: Node | None) -> Node:
    if node.op != "conv2d" or pad is None or not _pads_zeros_around_image(pad):
        return node
    ends = zip(node.attributes["padding"], pad.attributes["padding"][2:], strict=True)
    padding = tuple((a + c, b + d) for (a, b), (c, d) in ends)
    return replace(node, inputs=(pad.inputs[0], *node.inputs[1:])).with_attributes(padding=padding)


def _pads_zeros_around_image(node: Node) -> bool:
    return (
        node.op == "pad"
        and node.attributes["value"] == 0
        and len(node.attributes["padding"]) == 4
        and not any(map(any, node.attributes["padding"][:2]))
    )
