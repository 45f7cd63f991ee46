"""What must fail in LiteRT's compiled models, and say so: files, calls, libraries."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from cksb_blobs import DEFECTS
from compiled_files import HandMade, Save, assert_same, one_operator
from compiled_models import CompiledGraph, GraphError
from litert_files import run
from one_op import Case
from packed_files import open_packed, packed

from capexport.ir.evaluate import evaluate
from capexport.kernels import cksb
from capexport.writers.tflite import write
from capexport.writers.tflite.packed_operators import SPARSE_EMBEDDING


@pytest.mark.parametrize("defect", ["magic", "short"])
def test_a_damaged_blob_is_refused_with_its_name_and_the_reason(defect: str, save: Save) -> None:
    blob, reason = next(
        (blob, reason) for name, (blob, reason) in DEFECTS.items() if defect in name and blob
    )
    with pytest.raises(GraphError, match=rf"w\.cksb: .*{reason}"):
        CompiledGraph(save(one_operator(blob)))


def test_unknown_options_are_refused(save: Save) -> None:
    with pytest.raises(GraphError, match="unknown options"):
        CompiledGraph(save(one_operator(options=b"\2")))


def test_another_operator_is_refused(save: Save) -> None:
    with pytest.raises(GraphError, match="nothing here runs the operator Other"):
        CompiledGraph(save(one_operator(name="Other")))


def test_a_wrong_number_of_inputs_is_refused(save: Save) -> None:
    with pytest.raises(GraphError, match=f"{SPARSE_EMBEDDING} has a wrong number of inputs"):
        CompiledGraph(save(one_operator(name=SPARSE_EMBEDDING)))


def cross(rows: int, *columns: int) -> bytes:
    """A blob whose first rows have one weight each, in these columns."""
    weights = np.zeros((rows, 600), np.int8)
    weights[np.arange(len(columns)), columns] = 5
    return cksb.encode(weights)


def test_operators_that_litert_could_mix_up_are_refused(save: Save) -> None:
    """Equal sizes of everything that a kernel is told, but not of the result."""
    three, two = cross(3, 20, 300), cross(2, 20, 53)
    assert len(three) == len(two)
    model = HandMade()
    scale = model.constant("scale", np.ones(2, np.float32))  # of the rows that have weights
    no_bias = model.constant("bias", np.zeros(1, np.float32))
    model.add(model.blob("w0.cksb", three), scale, no_bias, rows=3)
    model.add(model.blob("w1.cksb", two), scale, no_bias)
    with pytest.raises(GraphError, match=r"cannot tell w1\.cksb from w0\.cksb"):
        CompiledGraph(save(model.file()))


def test_shared_weights(save: Save) -> None:
    """Two operators on one set of constants are one; unless they differ where nobody tells."""
    model, ones = HandMade(), np.ones(2, np.float32)
    shared = model.blob("w.cksb"), model.constant("scale", ones), model.constant("bias", ones)
    model.add(*shared)
    model.add(*shared)
    x = np.random.default_rng(0).normal(size=(3, 600)).astype(np.float32)
    with CompiledGraph(save(model.file())) as compiled:
        got = compiled.run({"x": x})
    expected = run(open_packed(model.file()), {"x": x})
    assert_same(got, expected)
    model.add(*shared, options=b"\1")
    with pytest.raises(GraphError, match=r"cannot tell w\.cksb with a relu from the same without"):
        CompiledGraph(save(model.file()))


def test_operators_of_equal_sizes_keep_their_weights(save: Save) -> None:
    model, ones = HandMade(), np.ones(2, np.float32)
    scale, bias = model.constant("scale", ones), model.constant("bias", ones)
    model.add(model.blob("w0.cksb", cross(2, 20, 453)), scale, bias)
    model.add(model.blob("w1.cksb", cross(2, 21, 454)), scale, bias, options=b"\1")
    delegate = open_packed(model.file())
    with CompiledGraph(save(model.file())) as compiled:
        for rows in (1, 3, 36, 2):
            x = np.random.default_rng(rows).normal(size=(rows, 600)).astype(np.float32)
            assert_same(compiled.run({"x": x}), run(delegate, {"x": x}))


@pytest.mark.parametrize("bad", [11, -1])
def test_an_id_outside_the_table_is_an_error_once(bad: int, save: Save) -> None:
    """LiteRT ignores that an operator failed: it must not pass for a result."""
    case = Case("embedding", ((11, 6), ("beams",)), {}, {0: 0.5}, "dynamic_wi8")
    graph = packed(case.graph())
    with CompiledGraph(save(write(graph))) as compiled:
        with pytest.raises(GraphError, match=f"id {bad}, the table has 11 rows"):
            compiled.run({"x1": np.array([0, bad], np.int32)})
        with pytest.raises(GraphError, match="has not run"):
            compiled.output("y0")
        good = {"x1": np.array([0, 10], np.int32)}
        assert_same(compiled.run(good), evaluate(graph, good))


def test_rows_of_another_length_are_an_error(save: Save) -> None:
    with CompiledGraph(save(one_operator())) as compiled:
        with pytest.raises(GraphError, match="CompiledModelResizeInputTensor"):
            compiled.run({"x": np.zeros((3, 599), np.float32)})
        x = np.zeros((3, 600), np.float32)
        np.testing.assert_array_equal(compiled.run({"x": x})["y0"], np.ones((3, 2), np.float32))


def test_calls_that_make_no_sense(save: Save) -> None:
    x = np.zeros((3, 600), np.float32)
    with CompiledGraph(save(one_operator())) as compiled:
        with pytest.raises(GraphError, match="the input x has not been set"):
            compiled.run_again()
        with pytest.raises(GraphError, match="the graph has no z"):
            compiled.set_input("z", x)
        with pytest.raises(GraphError, match="x is of type 1, not 2"):
            compiled.set_input("x", x.astype(np.int32))
        with pytest.raises(GraphError, match="x has no elements"):
            compiled.set_input("x", x[:0])
        compiled.run({"x": x})
        with pytest.raises(GraphError, match="the graph has no y"):
            compiled.output("y")


def test_a_library_or_model_that_cannot_be_opened(save: Save, tmp_path: Path) -> None:
    path = save(one_operator())
    with pytest.raises(GraphError, match=r"cannot be loaded: .*absent\.so"):
        CompiledGraph(path, library=tmp_path / "absent.so")
    with pytest.raises(GraphError, match="CreateModelFromFile failed with status"):
        CompiledGraph(tmp_path / "absent.tflite")
    with pytest.raises(GraphError, match="threads is no number"):
        CompiledGraph(path, threads=0)


def test_a_library_that_is_no_litert_is_named(save: Save) -> None:
    libc = shutil.which("true")
    assert libc
    with pytest.raises(GraphError, match=r"cannot be loaded|this LiteRT has no LiteRt"):
        CompiledGraph(save(one_operator()), library=Path(libc))
