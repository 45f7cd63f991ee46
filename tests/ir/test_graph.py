"""The graph's invariants, and the shape rules of the operator table."""

from dataclasses import replace

import numpy as np
import pytest

from capexport.errors import GraphError
from capexport.ir.evaluate import evaluate, registered
from capexport.ir.graph import Constant, Graph, Node, QuantParams
from capexport.ir.ops import OPS, check_shapes, infer_shapes
from capexport.spec.signature import TensorSpec


def relu_graph() -> Graph:
    x, y = TensorSpec("x", ("beams", 4)), TensorSpec("y", ("beams", 4))
    return Graph("g", ("x",), ("y",), (Node("relu", ("x",), ("y",)),), {"x": x, "y": y}, {})


def test_a_sound_graph_passes() -> None:
    assert check_shapes(relu_graph()).name == "g"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"nodes": (Node("relu", ("z",), ("y",)),)}, "before it is written"),
        ({"nodes": (Node("relu", ("x",), ("x",)),)}, "a second time"),
        ({"nodes": (Node("relu", ("x",), ("w",)),)}, "has no shape"),
        ({"outputs": ("w",)}, "is never written"),
        ({"constants": {"x": Constant("x", np.zeros(1))}}, "share a name"),
    ],
)
def test_a_broken_graph_is_refused(change: dict[str, object], what: str) -> None:
    with pytest.raises(GraphError, match=what):
        replace(relu_graph(), **change).check()


def test_a_recorded_shape_must_follow_from_the_inputs() -> None:
    graph = relu_graph()
    values = {**graph.values, "y": TensorSpec("y", ("beams", 5))}
    with pytest.raises(GraphError, match="follow from the inputs"):
        check_shapes(replace(graph, values=values))


@pytest.mark.parametrize(
    ("node", "shapes", "expected"),
    [
        (Node("add", ("a", "b"), ("y",)), [("r", 3), ("b", 1, 3)], [("b", "r", 3)]),
        (Node("matmul", ("a", "b"), ("y",)), [("b", "r"), ("r", 7)], [("b", 7)]),
        (Node("linear", ("a", "b"), ("y",)), [("b", "r", 3), (5, 3)], [("b", "r", 5)]),
        (Node("embedding", ("a", "b"), ("y",)), [(9, 4), ("b",)], [("b", 4)]),
        (Node("sum", ("a",), ("y",), {"axis": 1}), [("b", 3, 2)], [("b", 2)]),
        (Node("concat", ("a", "b"), ("y",), {"axis": 1}), [("b", 3), ("b", 2)], [("b", 5)]),
        (Node("unsqueeze", ("a",), ("y",), {"axis": 1}), [("b", 3)], [("b", 1, 3)]),
    ],
)
def test_shapes_with_named_axes(node: Node, shapes: list, expected: list) -> None:
    assert infer_shapes(node, shapes) == expected


@pytest.mark.parametrize(
    ("node", "shapes"),
    [
        (Node("add", ("a", "b"), ("y",)), [("r",), ("b",)]),
        (Node("linear", ("a", "b"), ("y",)), [("b", 4), (5, 3)]),
        (Node("matmul", ("a", "b"), ("y",)), [("b", "r"), ("q", 7)]),
        (Node("concat", ("a", "b"), ("y",), {"axis": 0}), [("r", 3), ("r", 3)]),
        (Node("split", ("a",), ("y", "z"), {"axis": 0, "parts": 2}), [(5,)]),
        (Node("relu", ("a",), ("y",), {"slope": 1}), [(5,)]),
        (Node("relu", ("a", "b"), ("y",)), [(5,), (5,)]),
        (Node("warp", ("a",), ("y",)), [(5,)]),
    ],
)
def test_inputs_that_do_not_fit_are_refused(node: Node, shapes: list) -> None:
    with pytest.raises(GraphError):
        infer_shapes(node, shapes)


def test_every_operator_has_a_numpy_meaning() -> None:
    assert registered() == set(OPS)


def test_evaluate_wants_every_input_by_name() -> None:
    with pytest.raises(GraphError, match="needed"):
        evaluate(relu_graph(), {})


def test_dequantized_multiplies_along_the_channel_axis() -> None:
    data = np.array([[1, 2], [3, 4]], np.int8)
    scale = np.array([0.5, 2], np.float32)
    rows = Constant("w", data, QuantParams(scale, axis=0)).dequantized()
    columns = Constant("w", data, QuantParams(scale, axis=1)).dequantized()
    np.testing.assert_array_equal(rows, [[0.5, 1], [6, 8]])
    np.testing.assert_array_equal(columns, [[0.5, 4], [1.5, 8]])
