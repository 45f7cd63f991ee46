"""The three forms of a linear layer, dense and sparse, against the numpy meaning."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest

from capexport.errors import GraphError, UnsupportedError
from capexport.ir.graph import Array, Constant, Graph, Node, QuantParams
from capexport.ir.ops import DYNAMIC, FLOAT
from capexport.spec.signature import TensorSpec
from capexport.writers.onnx import write
from capexport.writers.onnx.visitors.dynamic_int8 import LONGEST_ROW
from tests.writers.onnx.small_graphs import (
    EPS,
    EXACT,
    Tolerance,
    assert_close,
    build_graph,
    check_agreement,
    normal,
    optimized_ops,
    quantized,
    run_model,
)

SUM_ORDER = Tolerance(128 * EPS, 128 * EPS)
"""Up to 128 products of numbers about 1, added in another order."""

QUANTIZE_NODES, PRODUCT_NODES = 15, 6
FORMS = ("float", "weight_only", "dynamic")


def weight_of(form: str, shape: tuple[int, int], *, sparse: bool = False) -> Constant:
    weight = quantized("weight", shape, sparse=sparse)
    return Constant("weight", weight.dequantized(), None, sparse) if form == "float" else weight


def linear(form: str, *inputs: str, relu: bool = False, output: str = "y") -> Node:
    activations = DYNAMIC if form == "dynamic" else FLOAT
    return Node("linear", inputs, (output,), {"activations": activations, "relu": relu})


def linear_graph(form: str, weight: Constant, *, relu: bool = False) -> Graph:
    bias = Constant("bias", np.linspace(-1, 1, weight.shape[0], dtype=np.float32))
    x = TensorSpec("x", ("beams", weight.shape[1]))
    return build_graph([x], [weight, bias], [linear(form, "x", "weight", "bias", relu=relu)])


def operators(graph: Graph) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load_from_string(write(graph)).graph.node)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("beams", [1, 5])
@pytest.mark.parametrize(("k", "m"), [(1, 1), (1, 7), (13, 1), (127, 31)])
def test_linear(form: str, sparse: bool, beams: int, k: int, m: int) -> None:
    graph = linear_graph(form, weight_of(form, (m, k), sparse=sparse))
    tolerance = EXACT if form == "dynamic" else SUM_ORDER
    check_agreement(graph, {"x": normal(beams, k)}, tolerance)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(13,), (3, 1, 13), (2, 3, 5, 13)])
def test_linear_of_any_rank_with_relu_and_no_bias(form: str, shape: tuple[int, ...]) -> None:
    graph = build_graph(
        [TensorSpec("x", shape)],
        [weight_of(form, (7, 13))],
        [linear(form, "x", "weight", relu=True)],
    )
    tolerance = EXACT if form == "dynamic" else SUM_ORDER
    check_agreement(graph, {"x": normal(*shape)}, tolerance)


def awkward_rows() -> Array:
    """Rows whose range, minimum or scale is special, 64 numbers each."""
    x = normal(11, 64)
    x[0] = 0
    x[1] = np.abs(x[1])
    x[2] = -np.abs(x[2])
    x[3], x[4] = 3.25, -3.25
    x[5, 1:] = 0
    x[6] *= 1e-15
    x[7] *= 1e15
    x[8] = np.linspace(-127.5, 127.5, 64)  # scale 1: everything is a tie
    x[9] = np.arange(64) % 2
    return x


def test_dynamic_rows_with_special_ranges_equal_the_oracle_bit_for_bit() -> None:
    graph = linear_graph("dynamic", weight_of("dynamic", (31, 64)))
    x = awkward_rows()
    check_agreement(graph, {"x": x}, EXACT)
    check_agreement(graph, {"x": x[:1]}, EXACT)


def test_no_row_divides_by_zero_on_the_way() -> None:
    """The result would hide it: whatever integer a NaN becomes, the scale 0 makes it 0."""
    model = onnx.load_from_string(write(linear_graph("dynamic", weight_of("dynamic", (31, 64)))))
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info("x.steps"))
    steps = run_model(model.SerializeToString(), {"x": awkward_rows()})["x.steps"]
    assert np.isfinite(steps).all()


@pytest.mark.parametrize("seed", range(5))
def test_dynamic_random_rows_equal_the_oracle_bit_for_bit(seed: int) -> None:
    graph = linear_graph("dynamic", weight_of("dynamic", (3, 257)))
    check_agreement(graph, {"x": normal(400, 257, seed=seed)}, EXACT)


def test_a_dynamic_row_does_not_depend_on_the_rows_beside_it() -> None:
    model = write(linear_graph("dynamic", weight_of("dynamic", (31, 64))))
    x = awkward_rows()
    together = run_model(model, {"x": x})["y"]
    alone = [run_model(model, {"x": row[np.newaxis]})["y"][0] for row in x]
    np.testing.assert_array_equal(together, alone)


def test_extreme_int8_sums_stay_exact() -> None:
    """Sums of 4001 products pass 2^24, where float32 no longer holds every integer."""
    data = np.full((2, 4001), -127, np.int8)
    data[1] = 127
    weight = Constant("weight", data, QuantParams(np.ones(2, np.float32)))
    x = np.full((2, 4001), 1, np.float32)
    x[1, ::2] = -1
    check_agreement(linear_graph("dynamic", weight), {"x": x}, EXACT)


def test_linears_of_one_value_share_its_quantization() -> None:
    weights = [quantized("w1", (5, 13)), quantized("w2", (5, 13))]
    nodes = [
        linear("dynamic", "x", "w1", output="a"),
        linear("dynamic", "x", "w2", output="b"),
        Node("add", ("a", "b"), ("y",)),
    ]
    graph = build_graph([TensorSpec("x", ("beams", 13))], weights, nodes)
    assert operators(graph).total() == QUANTIZE_NODES + 2 * PRODUCT_NODES + 1
    check_agreement(graph, {"x": normal(5, 13)}, EXACT)


def test_a_float_linear_is_a_product_and_a_sum_and_no_gemm() -> None:
    graph = linear_graph("float", weight_of("float", (7, 13)), relu=True)
    assert operators(graph) == Counter(["MatMul", "Add", "Relu"])


def test_weight_only_keeps_float_activations_in_a_session() -> None:
    """What onnxruntime makes of DequantizeLinear is off by 1e-3 and more."""
    weight = weight_of("weight_only", (64, 512))
    graph = linear_graph("weight_only", weight)
    float_graph = linear_graph("float", Constant("weight", weight.dequantized()))
    inputs = {"x": normal(3, 512)}
    by_int8, by_float = (run_model(write(g), inputs)["y"] for g in (graph, float_graph))
    assert_close(by_int8, by_float, SUM_ORDER)


@pytest.mark.parametrize("form", FORMS)
def test_a_session_prepares_sparse_weights_once(form: str, tmp_path: Path) -> None:
    sparse = linear_graph(form, weight_of(form, (17, 31), sparse=True))
    dense = linear_graph(form, weight_of(form, (17, 31)))
    assert operators(sparse)["ScatterElements"] == 1
    prepared = [Counter(optimized_ops(write(graph), tmp_path)) for graph in (sparse, dense)]
    assert prepared[0] == prepared[1]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_a_table_tied_to_a_linear_is_stored_once(form: str, sparse: bool) -> None:
    weight = weight_of(form, (31, 13), sparse=sparse)
    nodes = [
        Node("embedding", ("weight", "token"), ("row",)),
        linear(form, "row", "weight", output="logits"),
    ]
    graph = build_graph([TensorSpec("token", ("beams",), "int32")], [weight], nodes)
    stored = onnx.load_from_string(write(graph)).graph.initializer
    assert sum(np.prod(i.dims) >= weight.nnz for i in stored) == (2 if sparse else 1)
    assert operators(graph)["Transpose"] == 1
    token = np.array([30, 0, 7, 7, 1], np.int32)
    check_agreement(graph, {"token": token}, EXACT if form == "dynamic" else SUM_ORDER)


def test_a_weight_that_is_an_input_is_transposed_in_the_graph() -> None:
    specs = [TensorSpec("x", ("beams", 5)), TensorSpec("weight", (3, 5))]
    graph = build_graph(specs, [], [linear("float", "x", "weight")])
    check_agreement(graph, {"x": normal(2, 5), "weight": normal(3, 5, seed=1)}, SUM_ORDER)


@pytest.mark.parametrize(
    "weight",
    [
        Constant("weight", np.ones((3, 5), np.float32)),
        Constant("weight", np.ones((3, 5), np.int8), QuantParams(np.ones(5, np.float32), 1)),
    ],
)
def test_dynamic_needs_int8_per_output(weight: Constant) -> None:
    with pytest.raises(GraphError, match="not int8 per output"):
        write(linear_graph("dynamic", weight))


def test_rows_too_long_for_int32_sums_are_refused() -> None:
    data = np.broadcast_to(np.int8(1), (1, LONGEST_ROW + 1))
    weight = Constant("weight", data, QuantParams(np.ones(1, np.float32)))
    with pytest.raises(UnsupportedError, match="too many for int8 activations"):
        write(linear_graph("dynamic", weight))


def test_unknown_activations_are_refused() -> None:
    node = Node("linear", ("x", "weight"), ("y",), {"activations": "static", "relu": False})
    weight = Constant("weight", np.ones((3, 5), np.float32))
    with pytest.raises(GraphError, match="no 'static' activations"):
        write(build_graph([TensorSpec("x", ("beams", 5))], [weight], [node]))
