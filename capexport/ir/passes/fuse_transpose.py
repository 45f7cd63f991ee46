"""matmul(a, transpose(b)) -> matmul(a, b, transposed=True): both formats read b as it lies."""

from dataclasses import replace

from capexport.ir.graph import Graph, Node
from capexport.ir.passes.drop_unread import drop_unread


def fuse_transpose(graph: Graph) -> Graph:
    """Let a product swap the last two axes of its right side itself."""
    producers = graph.producers()
    nodes = tuple(_fused(node, producers) if node.op == "matmul" else node for node in graph.nodes)
    return drop_unread(replace(graph, nodes=nodes))


def _fused(matmul: Node, producers: dict[str, Node]) -> Node:
    a, b = matmul.inputs
    swap = producers.get(b)
    if swap is None or swap.op != "transpose" or not _swaps_last_two(swap.attributes["order"]):
        return matmul
    transposed = not matmul.attributes.get("transposed", False)
    return replace(matmul, inputs=(a, swap.inputs[0])).with_attributes(transposed=transposed)


def _swaps_last_two(order: tuple[int, ...]) -> bool:
    rank = len(order)
    return order == (*range(rank - 2), rank - 1, rank - 2)
