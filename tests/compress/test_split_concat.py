"""Splitting a linear over a concatenation keeps its result and shrinks its dynamic error."""

import numpy as np
import pytest

from capexport.compress import RECIPES, apply_recipe
from capexport.compress.split_concat import split_concat
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import FLOAT, check_shapes
from capexport.spec.signature import TensorSpec

TOLERANCE = 1e-5
"""Float32 sums of 20 products near 1 in another order."""


def graph_over(widths: tuple[int, ...], *, relu: bool = False, keep: bool = False) -> Graph:
    """y = linear(concat(x0, x1, ...)) with 7 rows; `keep` makes the concatenation an output."""
    rng = np.random.default_rng(0)
    names = tuple(f"x{i}" for i in range(len(widths)))
    nodes = (
        Node("concat", names, ("c",), {"axis": 1}),
        Node("linear", ("c", "w", "b"), ("y",), {"activations": FLOAT, "relu": relu}),
    )
    specs = [TensorSpec(n, ("beams", width)) for n, width in zip(names, widths, strict=True)]
    specs += [TensorSpec("c", ("beams", sum(widths))), TensorSpec("y", ("beams", 7))]
    constants = {
        "w": Constant("w", rng.normal(size=(7, sum(widths))).astype(np.float32)),
        "b": Constant("b", rng.normal(size=7).astype(np.float32)),
    }
    outputs = ("y", "c") if keep else ("y",)
    return Graph("g", names, outputs, nodes, {s.name: s for s in specs}, constants)


def inputs(graph: Graph, scales: tuple[float, ...]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        name: rng.normal(0, scale, (3, graph.shape(name)[-1])).astype(np.float32)
        for name, scale in zip(graph.inputs, scales, strict=True)
    }


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("widths", [(1, 1), (5, 7), (3, 1, 13)])
def test_the_result_stays(widths: tuple[int, ...], relu: bool) -> None:
    graph = graph_over(widths, relu=relu)
    split = check_shapes(split_concat(graph))
    given = inputs(graph, (1.0,) * len(widths))
    np.testing.assert_allclose(
        evaluate(split, given)["y"], evaluate(graph, given)["y"], rtol=0, atol=TOLERANCE
    )
    assert [node.op for node in split.nodes].count("linear") == len(widths)
    assert "concat" not in [node.op for node in split.nodes]
    assert "w" not in split.constants


def test_a_concatenation_that_is_read_elsewhere_stays() -> None:
    split = check_shapes(split_concat(graph_over((2, 3), keep=True)))
    assert [node.op for node in split.nodes].count("concat") == 1


def test_parts_of_different_scale_keep_their_precision() -> None:
    """Next to a part of size 100, one shared int8 range has steps of about 2."""
    graph = graph_over((5, 5))
    given = inputs(graph, (100.0, 0.1))
    without_small = {**given, "x1": np.zeros_like(given["x1"])}
    dynamic = apply_recipe(graph, RECIPES["dynamic_wi8"])

    def share_of_small(g: Graph) -> np.ndarray:
        return evaluate(g, given)["y"] - evaluate(g, without_small)["y"]

    np.testing.assert_allclose(share_of_small(dynamic), share_of_small(graph), rtol=0, atol=0.02)
