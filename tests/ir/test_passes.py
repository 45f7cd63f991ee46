"""Passes keep what a graph computes, and touch nothing they should not."""

import numpy as np

from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import FLOAT
from capexport.ir.passes import run_passes
from capexport.ir.passes.fuse_relu import fuse_relu
from capexport.ir.passes.fuse_transpose import fuse_transpose
from capexport.ir.passes.merge_reshapes import merge_reshapes
from capexport.ir.passes.share_constants import share_constants
from capexport.spec.signature import TensorSpec

LINEAR = {"activations": FLOAT, "relu": False}


def two_layers(outputs: tuple[str, ...] = ("z",), extra: tuple[Node, ...] = ()) -> Graph:
    """z = linear(relu(linear(x))), both with the same weight under two names."""
    weight = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
    nodes = (
        Node("linear", ("x", "a"), ("h",), LINEAR),
        Node("relu", ("h",), ("r",)),
        Node("linear", ("r", "b"), ("z",), LINEAR),
        *extra,
    )
    names = ["x", *(name for node in nodes for name in node.outputs)]
    values = {name: TensorSpec(name, ("n", 3)) for name in names}
    constants = {"a": Constant("a", weight), "b": Constant("b", weight.copy())}
    return Graph("g", ("x",), outputs, nodes, values, constants)


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


def test_passes_keep_the_result() -> None:
    graph = two_layers()
    x = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    before, after = evaluate(graph, {"x": x}), evaluate(run_passes(graph), {"x": x})
    np.testing.assert_array_equal(after["z"], before["z"])


def test_relu_is_fused_into_its_linear() -> None:
    fused = fuse_relu(two_layers())
    assert ops(fused) == ["linear", "linear"]
    assert [node.attributes["relu"] for node in fused.nodes] == [True, False]


def test_relu_is_not_fused_when_somebody_else_reads_the_linear() -> None:
    graph = two_layers(extra=(Node("tanh", ("h",), ("t",)),), outputs=("z", "t"))
    assert ops(fuse_relu(graph)) == ops(graph)


def test_relu_is_not_fused_when_the_linear_is_an_output() -> None:
    graph = two_layers(outputs=("z", "h"))
    assert ops(fuse_relu(graph)) == ops(graph)


def test_equal_constants_are_stored_once() -> None:
    shared = share_constants(two_layers())
    assert list(shared.constants) == ["a"]
    assert [node.inputs[1] for node in shared.nodes if node.op == "linear"] == ["a", "a"]


def test_constants_of_equal_bytes_and_other_shape_stay_apart() -> None:
    zeros = {
        "a": Constant("a", np.zeros(4, np.float32)),
        "b": Constant("b", np.zeros((2, 2), np.float32)),
    }
    graph = Graph("g", (), ("a", "b"), (), {}, zeros)
    assert set(share_constants(graph).constants) == {"a", "b"}


def chain(*nodes: Node, outputs: tuple[str, ...], shapes: dict[str, tuple]) -> Graph:
    """A graph of one input that these nodes make."""
    values = {name: TensorSpec(name, shape) for name, shape in shapes.items()}
    return Graph("g", ("x",), outputs, nodes, values, {})


def reshape(source: str, result: str, *shape: int | str) -> Node:
    return Node("reshape", (source,), (result,), {"shape": shape})


def test_reshapes_in_a_row_are_one() -> None:
    shapes = {"x": ("n", 6), "a": ("n", 2, 3), "b": ("n", 6), "y": ("n", 3, 2), "z": ("n", 6)}
    graph = chain(
        reshape("x", "a", "n", 2, 3),
        reshape("a", "b", "n", 6),
        reshape("b", "y", "n", 3, 2),
        Node("relu", ("b",), ("z",)),
        outputs=("y", "z"),
        shapes=shapes,
    )
    merged = merge_reshapes(graph).check()
    assert [(node.op, node.inputs) for node in merged.nodes] == [
        ("reshape", ("x",)),
        ("relu", ("x",)),
    ]
    x = np.arange(12, dtype=np.float32).reshape(2, 6)
    for name, array in evaluate(graph, {"x": x}).items():
        np.testing.assert_array_equal(evaluate(merged, {"x": x})[name], array)


def test_a_reshape_that_changes_nothing_stays_where_it_writes_an_output() -> None:
    graph = chain(reshape("x", "y", "n", 6), outputs=("y",), shapes={"x": ("n", 6), "y": ("n", 6)})
    assert ops(merge_reshapes(graph)) == ["reshape"]


def product(order: tuple[int, ...], shape: tuple) -> Graph:
    moved = tuple(shape[axis] for axis in order)
    return chain(
        Node("transpose", ("x",), ("t",), {"order": order}),
        Node("matmul", ("x", "t"), ("y",)),
        outputs=("y",),
        shapes={"x": shape, "t": moved, "y": (*shape[:-1], moved[-1])},
    )


def test_a_product_swaps_the_axes_of_its_right_side_itself() -> None:
    graph = product((0, 2, 1), ("n", 4, 6))
    fused = run_passes(graph)
    assert ops(fused) == ["matmul"]
    x = np.random.default_rng(1).normal(size=(3, 4, 6)).astype(np.float32)
    np.testing.assert_allclose(evaluate(fused, {"x": x})["y"], x @ x.swapaxes(1, 2), rtol=1e-5)


def test_any_other_transpose_stays() -> None:
    assert ops(fuse_transpose(product((1, 0, 2), (4, 4, 4)))) == ["transpose", "matmul"]
