"""Packed weights in a .tflite: what is written, that it runs as the dense file, what is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from litert_files import open_file, run
from one_op import Case, linear
from packed_files import open_packed, packed
from up_down_graphs import random_inputs, tiny_graphs

from capexport.compress import RECIPES, apply_recipe, choose_storage
from capexport.errors import GraphError
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Graph
from capexport.ir.passes import run_passes
from capexport.kernels import cksb
from capexport.writers.tflite import write
from capexport.writers.tflite.check import check_file
from capexport.writers.tflite.model import ALIGNMENT
from capexport.writers.tflite.packed_operators import SPARSE_EMBEDDING, SPARSE_LINEAR

Op = schema.BuiltinOperator
TOLERANCE = 1e-5
"""A dozen float32 operators on numbers near 1, in another order of summation."""


def lowered(part: int, weights: str = "packed") -> Graph:
    graph = run_passes(tiny_graphs()[part])
    return choose_storage(apply_recipe(graph, RECIPES["dynamic_wi8"]), weights)


def parsed(data: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def custom_codes(model: Any) -> list[str]:
    return [c.customCode.decode() for c in model.operatorCodes if c.builtinCode == Op.CUSTOM]


def custom_operators(model: Any) -> list[Any]:
    codes = model.operatorCodes
    return [
        operator
        for operator in model.subgraphs[0].operators
        if codes[operator.opcodeIndex].builtinCode == Op.CUSTOM
    ]


def constant_bytes(model: Any, index: int) -> bytes:
    return bytes(model.buffers[model.subgraphs[0].tensors[index].buffer].data)


# ---- what is written


@pytest.mark.parametrize(("bias", "options"), [(True, b"\1"), (False, b"\0")])
def test_a_linear_has_four_inputs_and_one_byte_of_options(bias: bool, options: bytes) -> None:
    graph = packed(linear(33, 257, 0.9, "dynamic_wi8", bias=bias).graph())
    model = parsed(write(graph))
    assert custom_codes(model) == [SPARSE_LINEAR]
    (operator,) = custom_operators(model)
    assert bytes(operator.customOptions) == options  # the case has its relu with the bias
    _, blob, scale, offset = operator.inputs
    weight = graph.constants["x1"]
    assert constant_bytes(model, blob) == cksb.encode(weight.data)
    assert weight.quantization is not None
    assert constant_bytes(model, scale) == weight.quantization.scale.tobytes()
    expected = graph.constants["x2"].data if bias else np.zeros(1, np.float32)
    assert constant_bytes(model, offset) == expected.tobytes()


def test_scale_and_bias_of_a_very_sparse_weight_are_in_its_blob() -> None:
    case = linear(300, 257, 0.993, "dynamic_wi8")
    data = write(packed(case.graph()))
    model = parsed(data)
    (operator,) = custom_operators(model)
    _, blob, scale, offset = operator.inputs
    assert cksb.read_header(constant_bytes(model, blob)).has_bias
    assert constant_bytes(model, scale) == np.ones(1, np.float32).tobytes()
    assert constant_bytes(model, offset) == np.zeros(1, np.float32).tobytes()
    interpreter, graph = open_packed(data), case.graph()
    for beams in (1, 5, 36):
        inputs = case.inputs({"beams": beams})
        np.testing.assert_array_equal(run(interpreter, inputs)["y0"], evaluate(graph, inputs)["y0"])


def test_the_check_finds_floats_beside_a_blob_that_has_them() -> None:
    model = parsed(write(packed(linear(300, 257, 0.993, "dynamic_wi8").graph())))
    (operator,) = custom_operators(model)
    tensor = model.subgraphs[0].tensors[operator.inputs[2]]
    tensor.shape = np.array([300], np.int32)
    with pytest.raises(GraphError, match="1 float constants are needed"):
        check_file(repacked(model))


def test_an_embedding_has_three_inputs() -> None:
    case = Case("embedding", ((30, 4), ("beams",)), constants={0: 0.9}, recipe="dynamic_wi8")
    graph = packed(case.graph())
    model = parsed(write(graph))
    assert custom_codes(model) == [SPARSE_EMBEDDING]
    (operator,) = custom_operators(model)
    _, blob, scale = operator.inputs
    table = graph.constants["x0"]
    assert constant_bytes(model, blob) == cksb.encode(table.data)
    assert table.quantization is not None
    live = table.data.any(axis=1)
    assert 0 < live.sum() < 30
    assert constant_bytes(model, scale) == table.quantization.scale[live].tobytes()


def test_constants_are_aligned() -> None:
    data = write(lowered(1))
    model = schema.Model.GetRootAs(data, 0)
    arrays = [model.Buffers(i).DataAsNumpy() for i in range(model.BuffersLength())]
    start = np.frombuffer(data, np.uint8).ctypes.data
    offsets = [array.ctypes.data - start for array in arrays if isinstance(array, np.ndarray)]
    assert offsets
    assert {offset % ALIGNMENT for offset in offsets} == {0}


def test_equal_graphs_give_equal_bytes() -> None:
    assert write(lowered(1)) == write(lowered(1))


def test_packed_is_the_smallest_form() -> None:
    graph = linear(300, 257, 0.95, "dynamic_wi8").graph()
    sizes = [len(write(choose_storage(graph, w))) for w in ("packed", "stock-sparse", "dense")]
    assert sizes == sorted(sizes)


# ---- what it computes


@pytest.mark.parametrize("part", [0, 1], ids=["encoder", "decoder_step"])
def test_a_captioner_graph_computes_what_its_dense_form_does(part: int) -> None:
    graph, dense = lowered(part), lowered(part, "dense")
    interpreter, reference = open_packed(write(graph)), open_file(write(dense))
    for beams, regions in ((1, 1), (5, 100), (3, 37), (1, 2)):
        inputs = random_inputs(graph, beams, regions)
        expected, got = evaluate(graph, inputs), run(interpreter, inputs)
        stock = run(reference, inputs)
        for name, array in expected.items():
            np.testing.assert_allclose(got[name], array, rtol=0, atol=TOLERANCE)
            np.testing.assert_allclose(got[name], stock[name], rtol=0, atol=TOLERANCE)


# ---- what is refused


def repacked(model: Any) -> bytes:
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_the_check_passes_its_own_round_trip() -> None:
    check_file(repacked(parsed(write(lowered(1)))))


def rename(model: Any, operator: Any) -> None:
    model.operatorCodes[operator.opcodeIndex].customCode = b"SomebodyElses"


def omit_the_bias(model: Any, operator: Any) -> None:
    operator.inputs = np.array([*operator.inputs[:3], -1], np.int32)


def drop_the_bias(model: Any, operator: Any) -> None:
    operator.inputs = operator.inputs[:3]


def swap_scale_and_input(model: Any, operator: Any) -> None:
    operator.inputs = np.asarray(operator.inputs)[[2, 1, 0, 3]]


def surplus_options(model: Any, operator: Any) -> None:
    operator.customOptions = np.array([0, 0], np.uint8)


def damage_the_blob(model: Any, operator: Any) -> None:
    tensor = model.subgraphs[0].tensors[operator.inputs[1]]
    buffer = model.buffers[tensor.buffer]
    buffer.data = np.array([0, *buffer.data[1:]], np.uint8)


def shorten_a_row(model: Any, operator: Any) -> None:
    tensor = model.subgraphs[0].tensors[operator.inputs[0]]
    tensor.shape = np.array([1, 256], np.int32)


def raise_the_version(model: Any, operator: Any) -> None:
    model.operatorCodes[operator.opcodeIndex].version = 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (rename, "no custom operator 'SomebodyElses'"),
        (omit_the_bias, "an input is omitted"),
        (drop_the_bias, "another number or type"),
        (swap_scale_and_input, "33 float constants are needed"),
        (surplus_options, "options are unknown"),
        (damage_the_blob, "do not start with CKSB"),
        (shorten_a_row, "256 inputs meet weights for 257"),
        (raise_the_version, "declares version 2, needs 1"),
    ],
)
def test_the_check_finds_in_a_finished_file(
    change: Callable[[Any, Any], None], reason: str
) -> None:
    model = parsed(write(packed(linear(33, 257, 0.9, "dynamic_wi8").graph())))
    change(model, custom_operators(model)[0])
    with pytest.raises(GraphError, match=reason):
        check_file(repacked(model))


def test_packed_weights_need_dynamic_activations() -> None:
    graph = packed(linear(7, 13, 0.9, "weight_only_wi8").graph())
    with pytest.raises(GraphError, match="float activations"):
        write(graph)


def test_packed_weights_need_a_scale() -> None:
    graph = linear(7, 13, 0.9, "dynamic_wi8").graph()
    weight = replace(graph.constants["x1"], packed=True, quantization=None)
    with pytest.raises(GraphError, match="no scale per row"):
        write(graph.replace_constants({"x1": weight}))


def test_no_other_operator_reads_packed_weights() -> None:
    graph = Case("mul", (("beams", 17), (17,)), constants={1: 0.5}).graph()
    weight = replace(graph.constants["x1"], packed=True)
    with pytest.raises(GraphError, match="only linears and embeddings"):
        write(graph.replace_constants({"x1": weight}))
