"""Graph -> graph, one pass per file, in the order in which the export runs them."""

from collections.abc import Callable

from capexport.errors import GraphError
from capexport.ir.graph import Graph
from capexport.ir.ops import check_shapes
from capexport.ir.passes.fuse_padding import fuse_padding
from capexport.ir.passes.fuse_relu import fuse_relu
from capexport.ir.passes.fuse_transpose import fuse_transpose
from capexport.ir.passes.merge_reshapes import merge_reshapes
from capexport.ir.passes.share_constants import share_constants

__all__ = ["PASSES", "run_passes"]

PASSES: tuple[Callable[[Graph], Graph], ...] = (
    share_constants,
    fuse_padding,
    merge_reshapes,
    fuse_transpose,
    fuse_relu,
)


def run_passes(graph: Graph) -> Graph:
    """All passes, each followed by a shape check; a failure names the pass."""
    for graph_pass in PASSES:
        try:
            graph = check_shapes(graph_pass(graph))
        except GraphError as error:
            where = f"after pass {graph_pass.__name__}: {error.where}"
            raise GraphError(error.what, where=where, hint=error.hint) from error
    return graph
