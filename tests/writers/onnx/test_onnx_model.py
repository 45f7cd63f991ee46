"""The written file as a whole: a small decoder step, names, axes, bytes, sparse storage, limits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from capexport.errors import GraphError, UnsupportedError
from capexport.ir.graph import Array, Constant, Graph, Node
from capexport.ir.ops import DYNAMIC
from capexport.spec.signature import TensorSpec
from capexport.writers.onnx import write
from capexport.writers.onnx.registry import VISITORS
from tests.writers.onnx.small_graphs import (
    EPS,
    EXACT,
    Tolerance,
    build_graph,
    check_agreement,
    normal,
    optimized_ops,
    quantized,
)

STEP = Tolerance(64 * EPS, 64 * EPS)
"""A handful of float operators on numbers about 1; no rounding to int8 lies on an edge here."""

VOCABULARY, WIDTH = 23, 12


def recurrent_step(*, sparse: bool = False) -> Graph:
    """Embedding, a gated recurrent cell, and logits: token [beams], h [beams, width]."""
    attributes = {"activations": DYNAMIC, "relu": False}
    return build_graph(
        [TensorSpec("token", ("beams",), "int32"), TensorSpec("h", ("beams", WIDTH))],
        [
            quantized("table", (VOCABULARY, WIDTH), sparse=sparse),
            quantized("cell", (2 * WIDTH, 2 * WIDTH), sparse=sparse),
            quantized("logits_weight", (VOCABULARY, WIDTH), sparse=sparse),
            Constant("bias", normal(VOCABULARY)),
        ],
        [
            Node("embedding", ("table", "token"), ("x",)),
            Node("concat", ("x", "h"), ("xh",), {"axis": 1}),
            Node("linear", ("xh", "cell"), ("gates",), attributes),
            Node("split", ("gates",), ("open", "new"), {"axis": 1, "parts": 2}),
            Node("sigmoid", ("open",), ("gate",)),
            Node("tanh", ("new",), ("candidate",)),
            Node("mul", ("gate", "candidate"), ("h_next",)),
            Node("linear", ("h_next", "logits_weight", "bias"), ("logits",), attributes),
            Node("log_softmax", ("logits",), ("log_probs",)),
        ],
    )


def step_graph(*, sparse: bool = False) -> Graph:
    return replace(recurrent_step(sparse=sparse), outputs=("log_probs", "h_next"))


def step_inputs(beams: int) -> dict[str, Array]:
    token = np.random.default_rng(beams).integers(0, VOCABULARY, beams).astype(np.int32)
    return {"token": token, "h": normal(beams, WIDTH)}


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("beams", [1, 3, 5])
def test_one_file_serves_every_number_of_beams(sparse: bool, beams: int) -> None:
    check_agreement(step_graph(sparse=sparse), step_inputs(beams), STEP)


def test_names_and_axes_are_those_of_the_graph() -> None:
    frame = onnx.load_from_string(write(step_graph())).graph
    axes = {
        info.name: [axis.dim_param or axis.dim_value for axis in info.type.tensor_type.shape.dim]
        for info in (*frame.input, *frame.output)
    }
    assert axes == {
        "token": ["beams"],
        "h": ["beams", WIDTH],
        "log_probs": ["beams", VOCABULARY],
        "h_next": ["beams", WIDTH],
    }
    assert not frame.value_info


def test_opset_and_ir_version() -> None:
    model = onnx.load_from_string(write(step_graph()))
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 20)]
    assert model.ir_version == 9


@pytest.mark.parametrize("sparse", [False, True])
def test_the_same_graph_gives_the_same_bytes(sparse: bool) -> None:
    assert write(step_graph(sparse=sparse)) == write(step_graph(sparse=sparse))


def test_no_name_is_written_twice_where_the_graph_uses_the_writers_own() -> None:
    """The graph already has names that the writer would pick for a cast and a shared scalar."""
    graph = build_graph(
        [TensorSpec("x", ("beams", 5)), TensorSpec("y.cast", ("beams", 3))],
        [quantized("w", (3, 5), sparse=True), Constant("w.gaps", normal(3))],
        [
            Node("linear", ("x", "w", "w.gaps"), ("y",), {"activations": DYNAMIC, "relu": False}),
            Node("add", ("y", "y.cast"), ("shared.0",)),
        ],
    )
    check_agreement(graph, {"x": normal(2, 5), "y.cast": normal(2, 3)}, EXACT)


def test_an_input_may_also_be_an_output() -> None:
    x = TensorSpec("x", ("regions", 3))
    graph = build_graph([x], [], [Node("relu", ("x",), ("y",))])
    check_agreement(replace(graph, outputs=("x", "y")), {"x": normal(4, 3)}, EXACT)


def pattern(size: int, *positions: int) -> Array:
    flat = np.zeros(size, np.float32)
    flat[list(positions)] = 1 + np.arange(len(positions))
    return flat


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
@pytest.mark.parametrize(
    "flat",
    [
        pattern(1),
        pattern(1, 0),
        pattern(600),
        pattern(600, 0),
        pattern(600, 599),
        pattern(600, 0, 255, 511, 512),
        pattern(600, *range(600)),
    ],
)
def test_sparse_storage_of_any_pattern(
    flat: Array, dtype: type[np.generic], tmp_path: Path
) -> None:
    weight = quantized("w", (1, flat.size), axis=0, sparse=True)
    weight = replace(weight, data=(flat % 127).astype(dtype).reshape(1, -1))
    if dtype is np.float32:
        weight = replace(weight, quantization=None)
    graph = build_graph(
        [TensorSpec("x", ("beams", 1))], [weight], [Node("add", ("x", "w"), ("y",))]
    )
    check_agreement(graph, {"x": np.zeros((2, 1), np.float32)}, EXACT)
    assert optimized_ops(write(graph), tmp_path) == ["Add"]


def test_a_session_prepares_all_sparse_weights_once(tmp_path: Path) -> None:
    assert "ScatterElements" not in optimized_ops(write(step_graph(sparse=True)), tmp_path)


def test_a_sparse_weight_takes_two_bytes_per_nonzero() -> None:
    weight = quantized("w", (400, 500), zeros=0.95, sparse=True)
    graph = build_graph(
        [TensorSpec("token", ("beams",), "int32")],
        [weight],
        [Node("embedding", ("w", "token"), ("row",))],
    )
    scales, structure = 4 * 400, 2000
    assert len(write(graph)) < 2.01 * weight.nnz + scales + structure


def virtual_weight(*shape: int, dtype: type[np.generic] = np.float32) -> Constant:
    """Looks like gigabytes, takes none."""
    return Constant("w", np.broadcast_to(dtype(0), shape))


def test_more_than_2_gb_is_refused_before_it_is_copied() -> None:
    graph = build_graph(
        [TensorSpec("x", ("beams", 30000))],
        [virtual_weight(30000, 30000)],
        [Node("linear", ("x", "w"), ("y",), {"activations": "float", "relu": False})],
    )
    with pytest.raises(UnsupportedError, match=r"3\.6 GB of weights"):
        write(graph)


def test_sparse_storage_beyond_int32_positions_is_refused() -> None:
    weight = replace(virtual_weight(2**16, 2**16), sparse=True)
    graph = build_graph([TensorSpec("x", (1, 2**16))], [weight], [Node("add", ("x", "w"), ("y",))])
    with pytest.raises(UnsupportedError, match="too many for sparse storage"):
        write(graph)


def test_an_unknown_operator_is_refused() -> None:
    graph = build_graph([TensorSpec("x", ("beams", 3))], [], [Node("relu", ("x",), ("y",))])
    with pytest.raises(GraphError, match="there is no operator 'swish'"):
        write(replace(graph, nodes=(replace(graph.nodes[0], op="swish"),)))


def test_an_operator_without_a_visitor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(VISITORS, "relu")
    graph = build_graph([TensorSpec("x", (3,))], [], [Node("relu", ("x",), ("y",))])
    with pytest.raises(UnsupportedError, match="operator 'relu' cannot be written"):
        write(graph)


def test_a_constant_as_output_is_refused() -> None:
    graph = build_graph([TensorSpec("x", (3,))], [], [Node("relu", ("x",), ("y",))])
    graph = replace(graph, constants={"c": Constant("c", normal(3))}, outputs=("c",))
    with pytest.raises(GraphError, match="are constants"):
        write(graph)
