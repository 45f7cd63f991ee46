"""Packed weights become nodes of our own operators, which compute what the graph means."""

from collections import Counter
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import up_down_graphs
from onnxruntime.capi import onnxruntime_pybind11_state as faults
from packed_onnx import open_packed

from capexport.compress import RECIPES, apply_recipe, choose_storage
from capexport.compress.rows import quantize_rows
from capexport.errors import GraphError, UnsupportedError
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Array, Constant, Graph, Node, QuantParams
from capexport.ir.ops import DYNAMIC, FLOAT
from capexport.kernels import cksb
from capexport.kernels.cksb.row_floats import round_bias
from capexport.kernels.selftest import random_weights
from capexport.spec.signature import TensorSpec
from capexport.writers.onnx import write
from tests.writers.onnx.small_graphs import build_graph, normal, quantized

OWN = ("capexport", 1)
BITS_PER_NNZ = 13.8
"""At 5 % non-zeros: 8 for the value and 5.8 for the gap, of which 5.7 are its entropy."""


def packed(shape: tuple[int, int], zeros: float = 0.9, name: str = "weight") -> Constant:
    return replace(quantized(name, shape, zeros=zeros), packed=True)


def linear(*inputs: str, relu: bool = False, activations: str = DYNAMIC, output: str = "y") -> Node:
    return Node("linear", inputs, (output,), {"activations": activations, "relu": relu})


def linear_graph(weight: Constant, *, relu: bool = False) -> Graph:
    bias = Constant("bias", np.linspace(-1, 1, weight.shape[0], dtype=np.float32))
    x = TensorSpec("x", ("beams", weight.shape[1]))
    return build_graph([x], [weight, bias], [linear("x", "weight", "bias", relu=relu)])


def embedding_graph(table: Constant) -> Graph:
    ids = TensorSpec("ids", ("beams",), "int32")
    return build_graph([ids], [table], [Node("embedding", ("weight", "ids"), ("y",))])


def load(graph: Graph) -> onnx.ModelProto:
    model = onnx.load_from_string(write(graph))
    onnx.checker.check_model(model, full_check=True)
    return model


def operators(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def operator_sets(model: onnx.ModelProto) -> set[tuple[str, int]]:
    return {(declared.domain, declared.version) for declared in model.opset_import}


def check_exact(graph: Graph, *inputs: dict[str, Array]) -> None:
    """One session for inputs of several lengths."""
    load(graph)
    session = open_packed(write(graph))
    for given in inputs:
        expected = evaluate(graph, given)
        got = session.run(list(graph.outputs), given)
        for name, array in zip(graph.outputs, got, strict=True):
            np.testing.assert_array_equal(array, expected[name], err_msg=name, strict=True)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (300, 257)])
def test_a_linear_is_one_node_and_exact(shape: tuple[int, int], relu: bool) -> None:
    graph = linear_graph(packed(shape), relu=relu)
    assert operators(load(graph)) == {"SparseInt8MatMul": 1}
    check_exact(graph, *({"x": normal(n, shape[1], seed=n)} for n in (1, 2, 3, 5, 8, 36, 1)))


@pytest.mark.parametrize("shape", [(13,), (3, 1, 13), (2, 3, 5, 13)])
def test_a_linear_of_any_rank_without_bias(shape: tuple[int, ...]) -> None:
    x = TensorSpec("x", shape)
    graph = build_graph([x], [packed((7, 13))], [linear("x", "weight")])
    check_exact(graph, {"x": normal(*shape)})


def test_an_embedding_is_one_node_and_exact() -> None:
    graph = embedding_graph(packed((31, 13)))
    assert operators(load(graph)) == {"SparseInt8Gather": 1}
    ids = np.array([30, 0, 7, 7, 1], np.int32)
    check_exact(graph, {"ids": ids}, {"ids": ids[:1]})


def test_a_table_tied_to_a_linear_is_stored_once() -> None:
    nodes = [
        Node("embedding", ("weight", "ids"), ("row",)),
        linear("row", "weight", output="logits"),
    ]
    ids = TensorSpec("ids", ("beams",), "int32")
    graph = build_graph([ids], [packed((31, 13))], nodes)
    stored = [i.name for i in load(graph).graph.initializer]
    assert sorted(stored) == ["shared.0", "weight", "weight.scale"]
    check_exact(graph, {"ids": np.array([30, 0, 7, 7, 1], np.int32)})


def test_packed_and_dense_linears_stand_side_by_side() -> None:
    """Also: the other nodes learn nothing of the shapes that the operator of our own writes."""
    nodes = [
        linear("x", "weight", relu=True, output="hidden"),
        Node("split", ("hidden",), ("a", "b"), {"axis": 1, "parts": 2}),
        Node("concat", ("b", "a"), ("swapped",), {"axis": 1}),
        linear("swapped", "other", output="y"),
    ]
    constants = [packed((14, 13)), quantized("other", (5, 14))]
    graph = build_graph([TensorSpec("x", ("beams", 13))], constants, nodes)
    check_exact(graph, *({"x": normal(n, 13)} for n in (1, 7)))


def test_a_shared_input_is_read_by_both_forms() -> None:
    nodes = [
        linear("x", "weight", output="sparse"),
        linear("x", "other", output="dense"),
        Node("add", ("sparse", "dense"), ("y",)),
    ]
    constants = [packed((7, 13)), quantized("other", (7, 13))]
    graph = build_graph([TensorSpec("x", ("beams", 13))], constants, nodes)
    check_exact(graph, {"x": normal(3, 13)})


def test_only_files_that_need_our_operators_declare_them() -> None:
    graph = linear_graph(packed((7, 13)))
    dense = graph.replace_constants({"weight": replace(graph.constants["weight"], packed=False)})
    assert operator_sets(load(graph)) == {("", 20), OWN}
    assert operator_sets(load(dense)) == {("", 20)}


def test_the_weight_takes_less_than_fourteen_bits_per_non_zero() -> None:
    weight = packed((512, 1000), zeros=0.95)
    least = BITS_PER_NNZ / 8 * weight.nnz + 8 * 512
    assert least < len(write(linear_graph(weight))) < least + 512 + 1000


@pytest.mark.parametrize("zeros", [0.95, 1.0])
def test_empty_rows_have_no_scale_unless_all_are_empty(zeros: float) -> None:
    weight = packed((31, 13), zeros=zeros)
    stored = {i.name: i for i in load(linear_graph(weight)).graph.initializer}
    live = np.count_nonzero(weight.data.any(axis=1))
    assert list(stored["weight.scale"].dims) == [live or 31]
    assert live < 31
    check_exact(linear_graph(weight), *({"x": normal(n, 13)} for n in (1, 36)))
    check_exact(embedding_graph(weight), {"ids": np.arange(31, dtype=np.int32)})


def compact(shape: tuple[int, int], name: str = "weight") -> Constant:
    """A weight whose scales the blob holds."""
    kept = random_weights(np.random.default_rng(0), *shape, 0.993) != 0
    return replace(quantize_rows(Constant(name, normal(*shape) * kept)), packed=True)


def test_scale_and_bias_of_a_very_sparse_weight_are_in_its_blob() -> None:
    graph = linear_graph(compact((300, 257)))
    bias = Constant("bias", round_bias(graph.constants["bias"].data))
    small = graph.replace_constants({"bias": bias})
    stored = {i.name: list(i.dims) for i in load(small).graph.initializer}
    assert sorted(stored.values())[:2] == [[1], [1]]
    assert len(stored) == 3
    assert len(write(small)) + 6 * 300 < len(write(graph)) + 4 * 300
    check_exact(small, *({"x": normal(n, 257)} for n in (1, 5, 36)))
    check_exact(embedding_graph(compact((300, 257))), {"ids": np.arange(300, dtype=np.int32)})


def test_a_bias_beside_a_blob_that_two_linears_read() -> None:
    biases = [Constant(f"b{i}", np.full(300, 0.5 + i, np.float32)) for i in range(2)]
    nodes = [linear("x", "weight", f"b{i}", output=f"y{i}") for i in range(2)]
    nodes.append(Node("add", ("y0", "y1"), ("y",)))
    x = TensorSpec("x", ("beams", 257))
    graph = build_graph([x], [compact((300, 257)), *biases], nodes)
    stored = {i.name for i in load(graph).graph.initializer}
    assert {"weight", "b0", "b1"} <= stored
    check_exact(graph, {"x": normal(3, 257)})


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert write(linear_graph(packed((31, 67)))) == write(linear_graph(packed((31, 67))))


def test_the_blob_is_the_weight() -> None:
    weight = packed((31, 67))
    stored = {i.name: i for i in load(linear_graph(weight)).graph.initializer}
    blob = onnx.numpy_helper.to_array(stored["weight"])
    np.testing.assert_array_equal(cksb.decode(blob.tobytes()).weights, weight.data)


@pytest.mark.parametrize(("beams", "regions"), [(1, 1), (3, 36), (5, 7), (36, 2)])
@pytest.mark.parametrize("index", [0, 1], ids=["encoder", "decoder_step"])
def test_a_packed_captioner_equals_the_dense_one(index: int, beams: int, regions: int) -> None:
    dense = apply_recipe(up_down_graphs.tiny_graphs(0.95)[index], RECIPES["dynamic_wi8"])
    sparse = choose_storage(dense, "packed")
    assert operator_sets(load(sparse)) == {("", 20), OWN}
    inputs = up_down_graphs.random_inputs(dense, beams, regions)
    expected = onnxruntime.InferenceSession(write(dense)).run(None, inputs)
    for got, array in zip(open_packed(write(sparse)).run(None, inputs), expected, strict=True):
        np.testing.assert_array_equal(got, array, strict=True)


def test_a_plain_session_refuses_the_file() -> None:
    with pytest.raises(faults.Fail, match="capexport:SparseInt8MatMul"):
        onnxruntime.InferenceSession(write(linear_graph(packed((7, 13)))))


# ---- graphs that break the rules of packed weights


def test_float_activations_are_refused() -> None:
    node = linear("x", "weight", activations=FLOAT)
    graph = build_graph([TensorSpec("x", ("beams", 13))], [packed((7, 13))], [node])
    with pytest.raises(GraphError, match="float activations meet the packed weight 'weight'"):
        write(graph)


def test_a_computed_bias_is_refused() -> None:
    specs = [TensorSpec("x", ("beams", 13)), TensorSpec("bias", (7,))]
    graph = build_graph(specs, [packed((7, 13))], [linear("x", "weight", "bias")])
    with pytest.raises(GraphError, match="bias 'bias' of a packed weight is no constant"):
        write(graph)


@pytest.mark.parametrize("quantization", [None, QuantParams(np.ones(13, np.float32), 1)])
def test_a_weight_without_a_scale_per_row_is_refused(quantization: QuantParams | None) -> None:
    weight = replace(packed((7, 13)), quantization=quantization)
    for graph in (linear_graph(weight), embedding_graph(weight)):
        with pytest.raises(GraphError, match="packed weight 'weight' has no scale per row"):
            write(graph)


def test_another_operator_cannot_read_a_packed_weight() -> None:
    x = TensorSpec("x", ("beams", 7))
    graph = build_graph([x], [packed((7, 13))], [Node("matmul", ("x", "weight"), ("y",))])
    with pytest.raises(GraphError, match="'weight' is read by an operator that cannot run it"):
        write(graph)


def test_a_weight_of_minus_128_is_refused() -> None:
    weight = packed((7, 13))
    weight.data[3, 4] = -128
    with pytest.raises(UnsupportedError, match="-128 cannot be stored"):
        write(linear_graph(weight))
