"""IR graph -> .tflite, straight to the flatbuffer schema."""

from capexport.ir.graph import Graph
from capexport.ir.ops import check_shapes
from capexport.ir.passes.channels_last import channels_last
from capexport.writers.tflite.check import check_file
from capexport.writers.tflite.lowering import Lowering
from capexport.writers.tflite.operators import count_operators
from capexport.writers.tflite.visitors import VISITORS

__all__ = ["count_operators", "write"]


def write(graph: Graph) -> bytes:
    """The graph as a .tflite file with one subgraph and the signature `serving_default`.

    Named axes have length 1 in the file and -1 in its shape signature; resize the inputs.

    Raises:
        GraphError: the graph, or the finished file, breaks a rule that a runtime would not report.
    """
    graph = check_shapes(channels_last(check_shapes(graph)))
    lowering = Lowering(graph)
    for name in graph.inputs:  # inputs come first, in the order of the graph
        lowering.tensor(name)
    for node in graph.nodes:
        VISITORS[node.op](lowering, node)
    data = lowering.finish()
    check_file(data)
    return data
