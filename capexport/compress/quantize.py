"""Float weights -> symmetric int8 per row: a zero stays a zero, an int8 grid stays as it is."""

from dataclasses import replace

import numpy as np

from capexport.compress.recipe import STATIC, Recipe
from capexport.compress.split_concat import split_concat
from capexport.errors import GraphError, UnsupportedError
from capexport.ir.graph import Array, Constant, Graph, QuantParams
from capexport.ir.ops import DYNAMIC

PEAK = 127
"""Largest magnitude. -128 is never used: the grid is symmetric."""
_GRID_ERROR = 4 * float(np.finfo(np.float32).eps)
"""Relative to the row's peak: quantum, product and quotient of a float32 grid round once each."""
_PROBE = 16
"""Non-zeros per row that a grid must fit before the whole row is looked at."""
_WEIGHT = {"linear": 1, "conv2d": 1, "embedding": 0}
"""Which input is the weight."""
_SEARCHED_NNZ = 256
"""A row with more non-zeros keeps the finest scale: the errors average out, no scale is better."""


def apply_recipe(graph: Graph, recipe: Recipe) -> Graph:
    """The graph with the weights of its linears, embeddings and convolutions in the recipe's form.

    Rule: every weight of such a node, none by name. Everything else (biases, the attention's score
    vector) stays float32. Linears over a concatenation are split first.

    Raises:
        UnsupportedError: dynamic activations meet a convolution.
    """
    if recipe.weight_bits is None:
        return graph
    if recipe.activations == DYNAMIC:
        _refuse_convolutions(graph)
    graph = split_concat(graph)
    quantized = {name: quantize_rows(graph.constants[name]) for name in _weights(graph)}
    nodes = tuple(
        node.with_attributes(activations=recipe.activations) if node.op == "linear" else node
        for node in graph.nodes
    )
    return replace(graph.replace_constants(quantized), nodes=nodes)


def _refuse_convolutions(graph: Graph) -> None:
    """Runtimes have slow kernels, or none, for them: 2 to 7 times the time of float."""
    found = [node for node in graph.nodes if node.op == "conv2d"]
    if found:
        raise UnsupportedError(
            f"{len(found)} convolutions cannot have dynamic int8 activations",
            where=f"graph {graph.name}, {found[0].inputs[1]} and others",
            hint=f"--recipe {graph.name}={STATIC}, or weight_only_wi8",
        )


def _weights(graph: Graph) -> list[str]:
    """Constants that are multiplied with or looked up, each once."""
    names = [node.inputs[_WEIGHT[node.op]] for node in graph.nodes if node.op in _WEIGHT]
    return [name for name in dict.fromkeys(names) if name in graph.constants]


def quantize_rows(constant: Constant) -> Constant:
    """float32 [rows, ...] -> int8 with a float32 scale per row (output of a convolution).

    scale = max|w| / n. A row that already lies on an int8 grid keeps it, so that weights trained on
    it do not move. Otherwise n is from 64 to 127, whichever rounds the row with the least squared
    error: a pruned row has so few values that they can be made to fall close to the steps.

    Raises:
        GraphError: a value is not finite.
    """
    weight = constant.data.reshape(len(constant.data), -1)
    peak = np.abs(weight).max(1, initial=0).astype(np.float32)
    if not np.isfinite(peak).all():
        raise GraphError(
            "a weight is not a finite number", where=constant.name, hint="repair the checkpoint"
        )
    step = (peak / np.float32(PEAK)).astype(np.float32)
    usable = step >= np.finfo(np.float32).tiny  # not so in a row of zeros
    scale = np.where(usable, peak / _best_steps(weight, np.where(usable, peak, 1)), 1)
    scale = scale.astype(np.float32)
    for row in np.flatnonzero(usable & _may_lie_on_grid(weight, peak)):
        scale[row] = _grid_scale(weight[row][weight[row] != 0], peak[row]) or scale[row]
    data = np.rint(weight / scale[:, None]).astype(np.int8)
    data = data.reshape(constant.shape)
    return Constant(constant.name, data, QuantParams(scale, axis=0), constant.sparse)


def _best_steps(weight: Array, peak: Array) -> Array:
    """Steps from 0 to each row's peak, 64 to 127, with the least squared error: float32 [rows]."""
    best = np.full(len(weight), PEAK, np.float32)
    counts = np.count_nonzero(weight, 1)
    rows, columns = np.nonzero(weight * ((counts > 0) & (counts <= _SEARCHED_NNZ))[:, None])
    relative = weight[rows, columns] / peak[rows]
    least = np.full(len(weight), np.inf)
    for n in range(PEAK, PEAK // 2, -1):
        error = (relative * n - np.rint(relative * n)) / n
        total = np.bincount(rows, error * error, len(weight))
        better = total < least
        best[better], least[better] = n, total[better]
    return best


def _grid_scale(values: Array, peak: np.float32) -> np.float32 | None:
    """Step of the coarsest int8 grid that holds every value, or None where there is no grid.

    Of peak / n and its float32 neighbours it takes the one that gives most values back bit for bit.
    """
    relative = values / peak
    n = next((n for n in range(1, PEAK + 1) if _fits(relative, n).all()), None)
    if n is None:
        return None
    step = np.float32(peak / np.float32(n))
    below, above = (np.nextafter(step, np.float32(end)) for end in (0, np.inf))
    steps = np.rint(relative * n).astype(np.float32)
    exact = [np.count_nonzero(steps * scale == values) for scale in (step, below, above)]
    return (step, below, above)[int(np.argmax(exact))]


def _may_lie_on_grid(weight: Array, peak: Array) -> Array:
    """Rows whose first few non-zeros fit some grid; random rows practically never do."""
    probes = np.zeros((len(weight), _PROBE), np.float32)
    for row in np.flatnonzero(peak >= np.finfo(np.float32).tiny):
        values = weight[row][np.flatnonzero(weight[row])[:_PROBE]]
        probes[row, : len(values)] = values / peak[row]
    fits = np.zeros(len(weight), bool)
    for n in range(1, PEAK + 1):
        fits |= _fits(probes, n).all(1)
    return fits


def _fits(relative: Array, n: int) -> Array:
    """Whether values in -1..1 are multiples of 1 / n, up to float32 rounding."""
    multiples = relative * np.float32(n)
    return np.abs(multiples - np.rint(multiples)) <= _GRID_ERROR * n
