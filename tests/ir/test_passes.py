"""Passes keep what a graph computes, and touch nothing they should not."""

import numpy as np

from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import FLOAT
from capexport.ir.passes import run_passes
from capexport.ir.passes.fuse_relu import fuse_relu
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
