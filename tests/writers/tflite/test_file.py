"""Whole .tflite files: partitions, versions, alignment, and the hazards no runtime reports."""

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from litert_files import open_file, partitions, run
from up_down_graphs import random_inputs, tiny_graphs

from capexport.compress import RECIPES, apply_recipe, choose_storage
from capexport.errors import GraphError
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Constant, Graph, QuantParams
from capexport.ir.passes import run_passes
from capexport.writers.tflite import write
from capexport.writers.tflite.check import check_file
from capexport.writers.tflite.model import ALIGNMENT, OMITTED, TfliteModel
from capexport.writers.tflite.versions import SPARSE_FULLY_CONNECTED

Op = schema.BuiltinOperator
TOLERANCE = 1e-5
"""A dozen float32 operators on numbers near 1, in another order of summation."""


def lowered(part: int, recipe: str, weights: str = "dense") -> Graph:
    graph = run_passes(tiny_graphs()[part])
    return choose_storage(apply_recipe(graph, RECIPES[recipe]), weights)


def parsed(data: bytes) -> schema.ModelT:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def versions(data: bytes) -> set[tuple[int, int]]:
    codes = parsed(data).operatorCodes
    return {(max(c.builtinCode, c.deprecatedBuiltinCode), c.version) for c in codes}


@pytest.mark.parametrize("weights", ["dense", "stock-sparse"])
@pytest.mark.parametrize("recipe", [r.name for r in RECIPES.values() if not r.static])
@pytest.mark.parametrize("part", [0, 1], ids=["encoder", "decoder_step"])
def test_captioner_graphs_equal_the_oracle(part: int, recipe: str, weights: str) -> None:
    graph = lowered(part, recipe, weights)
    interpreter = open_file(write(graph))
    for beams, regions in ((1, 1), (5, 100), (3, 37), (1, 2)):
        inputs = random_inputs(graph, beams, regions)
        expected, got = evaluate(graph, inputs), run(interpreter, inputs)
        for name, array in expected.items():
            np.testing.assert_allclose(got[name], array, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("recipe", ["fp32", "dynamic_wi8"])
@pytest.mark.parametrize("part", [0, 1], ids=["encoder", "decoder_step"])
def test_xnnpack_takes_a_dense_graph_in_one_piece(part: int, recipe: str) -> None:
    graph = lowered(part, recipe)
    interpreter = open_file(write(graph))
    run(interpreter, random_inputs(graph, 3, 7))
    assert partitions(interpreter) == 1


def test_equal_graphs_give_equal_bytes() -> None:
    graph = lowered(1, "dynamic_wi8", "stock-sparse")
    assert write(graph) == write(graph)


def test_constants_are_aligned() -> None:
    data = write(lowered(1, "dynamic_wi8"))
    model = schema.Model.GetRootAs(data, 0)
    offsets = []
    for i in range(model.BuffersLength()):
        array = model.Buffers(i).DataAsNumpy()
        if isinstance(array, np.ndarray):
            offsets.append(array.__array_interface__["data"][0])
    start = np.frombuffer(data, np.uint8).__array_interface__["data"][0]
    assert offsets
    assert {(offset - start) % ALIGNMENT for offset in offsets} == {0}


def test_true_versions() -> None:
    assert {(Op.FULLY_CONNECTED, 12), (Op.EMBEDDING_LOOKUP, 4)} <= versions(
        write(lowered(1, "dynamic_wi8"))
    )
    assert {(Op.FULLY_CONNECTED, 1), (Op.DEQUANTIZE, 5)} <= versions(
        write(lowered(1, "weight_only_wi8"))
    ) | versions(write(lowered(0, "fp32")))


def test_sparse_linears_have_the_one_version_that_xnnpack_leaves_alone() -> None:
    for recipe in ("fp32", "dynamic_wi8"):
        found = versions(write(lowered(1, recipe, "stock-sparse")))
        linears = {version for code, version in found if code == Op.FULLY_CONNECTED}
        assert linears == {SPARSE_FULLY_CONNECTED}


@pytest.mark.parametrize("part", [0, 1], ids=["encoder", "decoder_step"])
def test_old_runtimes_refuse_sparse_int8(part: int) -> None:
    """They would answer zeros; an int8 table with a scale per row is what they do not know."""
    found = versions(write(lowered(part, "dynamic_wi8", "stock-sparse")))
    assert (Op.EMBEDDING_LOOKUP, 4) in found


def test_int8_sparse_is_never_read_directly() -> None:
    model = TfliteModel("g")
    data = np.eye(4, dtype=np.int8)
    weight = model.sparse_constant(Constant("w", data, QuantParams(np.ones(4, np.float32))))
    x = model.parameter([0])
    with pytest.raises(GraphError, match="DENSIFY"):
        model.operator(Op.FULLY_CONNECTED, [x, weight, OMITTED], [x], "FullyConnectedOptions")


def repacked(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_an_under_declared_version_is_found_in_the_finished_file() -> None:
    model = parsed(write(lowered(1, "dynamic_wi8")))
    for code in model.operatorCodes:
        if code.builtinCode == Op.FULLY_CONNECTED:
            code.version = 1
    with pytest.raises(GraphError, match="declares version 1, needs 12"):
        check_file(repacked(model))


def test_missing_constant_bytes_are_found_in_the_finished_file() -> None:
    model = parsed(write(lowered(1, "dynamic_wi8")))
    largest = max((b for b in model.buffers if b.data is not None), key=lambda b: len(b.data))
    largest.data = largest.data[:-1]
    with pytest.raises(GraphError, match="its shape needs"):
        check_file(repacked(model))


def test_the_check_passes_its_own_round_trip() -> None:
    check_file(repacked(parsed(write(lowered(1, "dynamic_wi8")))))
