"""LiteRT without a delegate, by compiled models: the same bits as with it, or a reason."""

import threading

import numpy as np
import pytest
from compiled_files import Save, assert_same, int8
from compiled_models import CompiledGraph
from litert_files import open_file, run
from one_op import Case
from packed_files import open_packed, packed
from up_down_graphs import random_inputs, tiny_graphs

from capexport.ir.evaluate import evaluate
from capexport.ir.ops import FLOAT
from capexport.writers.tflite import write

BATCHES = (1, 3, 5, 6, 36, 1)
SHAPES = ((1, 1), (1, 67), (67, 1), (31, 300), (300, 257))
SPARSITIES = (0.0, 0.95, 1.0)
BEAMS_AND_REGIONS = ((1, 36), (3, 36), (3, 10), (1, 10), (1, 36))

# ---- products


def linear(rows: int, columns: int, sparsity: float, *, bias: bool = True, relu: bool = False):
    shapes = (("beams", columns), (rows, columns), *([(rows,)] if bias else []))
    constants = {1: sparsity, **({2: 0.0} if bias else {})}
    return Case("linear", shapes, {"activations": FLOAT, "relu": relu}, constants, "dynamic_wi8")


def assert_exact(case: Case, save: Save) -> None:
    graph = packed(case.graph())
    with CompiledGraph(save(write(graph))) as compiled:
        for beams in BATCHES:
            inputs = case.inputs({"beams": beams})
            assert_same(compiled.run(inputs), evaluate(graph, inputs))


@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_a_linear_equals_the_oracle_bit_for_bit(
    rows: int, columns: int, sparsity: float, save: Save
) -> None:
    assert_exact(linear(rows, columns, sparsity), save)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_bias_and_relu(bias: bool, relu: bool, save: Save) -> None:
    assert_exact(linear(37, 300, 0.9, bias=bias, relu=relu), save)


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_an_embedding_equals_the_oracle_bit_for_bit(sparsity: float, save: Save) -> None:
    assert_exact(Case("embedding", ((67, 31), ("beams",)), {}, {0: sparsity}, "dynamic_wi8"), save)


# ---- a captioner


@pytest.mark.parametrize("number", [0, 1], ids=["encoder", "decoder"])
@pytest.mark.parametrize("sparsity", [0.5, 0.9])
def test_a_captioner_is_the_same_through_every_door(
    number: int, sparsity: float, save: Save
) -> None:
    """Bit for bit: compiled model, delegate, and the dense file by XNNPACK alone."""
    graph = int8(tiny_graphs(sparsity)[number])
    data = write(packed(graph))
    delegate, dense = open_packed(data), open_file(write(graph))
    with CompiledGraph(save(data)) as compiled:
        for beams, regions in BEAMS_AND_REGIONS:
            inputs = random_inputs(graph, beams, regions, seed=beams + regions)
            got = compiled.run(inputs)
            assert_same(got, run(delegate, inputs))
            assert_same(got, run(dense, inputs))


def test_names_are_those_of_the_signature(save: Save) -> None:
    _, step = tiny_graphs()
    with CompiledGraph(save(write(packed(int8(step))))) as compiled:
        assert sorted(compiled.names("input")) == sorted(step.inputs)
        assert sorted(compiled.names("output")) == sorted(step.outputs)


def test_a_file_without_our_operators_runs_as_well(save: Save) -> None:
    graph = int8(tiny_graphs()[1])
    inputs = random_inputs(graph, 3, 5)
    with CompiledGraph(save(write(graph))) as compiled:
        assert_same(compiled.run(inputs), run(open_file(write(graph)), inputs))


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(threads: int, save: Save) -> None:
    case = linear(2000, 257, 0.9)
    graph = packed(case.graph())
    with CompiledGraph(save(write(graph)), threads=threads) as compiled:
        for beams in BATCHES:
            inputs = case.inputs({"beams": beams})
            assert_same(compiled.run(inputs), evaluate(graph, inputs))


def test_inputs_stay_until_they_are_set_anew(save: Save) -> None:
    case = linear(7, 13, 0.5)
    x, name = next(iter(case.inputs({"beams": 3}).values())), case.graph().inputs[0]
    with CompiledGraph(save(write(packed(case.graph())))) as compiled:
        first = compiled.run({name: x})["y0"]
        compiled.run_again()
        np.testing.assert_array_equal(compiled.output("y0"), first)


def test_graphs_in_threads_share_nothing(save: Save) -> None:
    case = linear(300, 257, 0.9)
    graph, wrong = packed(case.graph()), []
    path = save(write(graph))

    def work(beams: int) -> None:
        inputs = case.inputs({"beams": beams})
        expected = evaluate(graph, inputs)["y0"]
        with CompiledGraph(path) as compiled:
            for _ in range(50):
                if not np.array_equal(compiled.run(inputs)["y0"], expected):
                    wrong.append(beams)

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 3, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_graph_can_be_opened_again_and_again(save: Save) -> None:
    case = linear(7, 13, 0.5)
    path, inputs = save(write(packed(case.graph()))), case.inputs({"beams": 3})
    for _ in range(20):
        with CompiledGraph(path) as compiled:
            compiled.run(inputs)
