"""A recipe on a graph: which weights become int8, and what activations they meet."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from capexport.compress.compact_rows import has_compact_rows
from capexport.compress.recipe import STATIC, Recipe
from capexport.compress.rows import quantize_rows
from capexport.compress.split_concat import split_concat
from capexport.compress.static import apply_static
from capexport.errors import UnsupportedError
from capexport.ir.graph import Array, Graph, Node
from capexport.ir.ops import DYNAMIC
from capexport.kernels.cksb.row_floats import round_bias

_WEIGHT = {"linear": 1, "conv2d": 1, "embedding": 0}
"""Which input is the weight."""


def apply_recipe(
    graph: Graph, recipe: Recipe, samples: Iterable[Mapping[str, Array]] = ()
) -> Graph:
    """The graph with the weights of its linears, embeddings and convolutions in the recipe's form.

    Rule: every weight of such a node, none by name, but for convolutions that a static recipe
    leaves float. Everything else (biases, the attention's score vector) stays float32, biases of
    very sparse weights with 12 bits. Linears over a concatenation are split first.

    Args:
        samples: inputs of the graph by name, for a static recipe to calibrate with.

    Raises:
        UnsupportedError: dynamic activations meet a convolution, static ones meet none.
        InputError: a static recipe has no samples.
    """
    if recipe.weight_bits is None:
        return graph
    graph = split_concat(graph)
    if recipe.static:
        graph = apply_static(graph, samples, largest=recipe.largest)
    elif recipe.activations == DYNAMIC:
        _refuse_convolutions(graph)
    operators = _WEIGHT.keys() - ({"conv2d"} if recipe.static else set())
    quantized = {name: quantize_rows(graph.constants[name]) for name in _weights(graph, operators)}
    rounded = {
        name: replace(graph.constants[name], data=round_bias(graph.constants[name].data))
        for name in _compact_biases(graph)
    }
    nodes = tuple(
        node.with_attributes(activations=recipe.activations) if node.op == "linear" else node
        for node in graph.nodes
    )
    return replace(graph.replace_constants({**quantized, **rounded}), nodes=nodes)


def _refuse_convolutions(graph: Graph) -> None:
    """Runtimes have slow kernels, or none, for them: 2 to 7 times the time of float."""
    found = [node for node in graph.nodes if node.op == "conv2d"]
    if found:
        raise UnsupportedError(
            f"{len(found)} convolutions cannot have dynamic int8 activations",
            where=f"graph {graph.name}, {found[0].inputs[1]} and others",
            hint=f"--recipe encoder={STATIC},decoder=dynamic_wi8 and --calibration FOLDER",
        )


def _compact_biases(graph: Graph) -> list[str]:
    """Float biases of linears that could be packed with them."""
    linears = [node for node in graph.nodes if node.op == "linear" and len(node.inputs) > 2]
    return [node.inputs[2] for node in linears if _adds_compact_bias(graph, node)]


def _adds_compact_bias(graph: Graph, node: Node) -> bool:
    weight, bias = (graph.constants.get(name) for name in node.inputs[1:3])
    is_float = bias is not None and bias.dtype == "float32"
    return weight is not None and is_float and has_compact_rows(weight.data)


def _weights(graph: Graph, operators: Collection[str]) -> list[str]:
    """Float constants that these multiply with or look up, each once."""
    names = [node.inputs[_WEIGHT[node.op]] for node in graph.nodes if node.op in operators]
    constants = {name: graph.constants.get(name) for name in names}
    return [name for name, constant in constants.items() if constant and not constant.quantization]
