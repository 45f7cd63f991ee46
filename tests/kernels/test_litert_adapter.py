"""The delegate for LiteRT: exact products for every shape, and a loud no for everything damaged."""

import ctypes
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import load_delegate
from cksb_blobs import DEFECTS, GOLDEN, WITH_FLOATS, changed, golden_matrix
from litert_files import open_file, run
from one_op import Case
from packed_files import open_packed, packed

from capexport.compress import RECIPES, apply_recipe
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import FLOAT, check_shapes, infer_shapes
from capexport.kernels import cksb
from capexport.kernels.build import build
from capexport.spec.signature import TensorSpec
from capexport.writers.tflite import write
from capexport.writers.tflite.model import OMITTED, TfliteModel
from capexport.writers.tflite.packed_operators import SPARSE_EMBEDDING, SPARSE_LINEAR

REFUSED = (RuntimeError, ValueError)
"""What LiteRT raises when a delegate fails, at one stage or another."""
BATCHES = (1, 2, 3, 4, 5, 6, 7, 8, 36, 100, 1)
SHAPES = ((1, 1), (1, 67), (67, 1), (7, 13), (31, 300), (300, 257))
SPARSITIES = (0.0, 0.8, 0.95, 0.999, 1.0)
"""0.999 and 1.0 leave whole rows without a weight."""


def linear_case(
    rows: int, columns: int, sparsity: float, *, bias: bool, relu: bool, rank: int = 2
) -> Case:
    axes: tuple[str, ...] = ("beams", "regions")[: rank - 1]
    shapes: Any = ((*axes, columns), (rows, columns), *([(rows,)] if bias else []))
    constants = {1: sparsity, **({2: 0.0} if bias else {})}
    return Case("linear", shapes, {"activations": FLOAT, "relu": relu}, constants, "dynamic_wi8")


def assert_exact(case: Case, axes: Sequence[dict[str, int]]) -> None:
    """One interpreter for all: a resized graph must be as right as a fresh one."""
    graph = packed(case.graph())
    interpreter = open_packed(write(graph))
    for lengths in axes:
        inputs = case.inputs(lengths)
        expected, got = evaluate(graph, inputs), run(interpreter, inputs)
        np.testing.assert_array_equal(got["y0"], expected["y0"], strict=True)


@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_a_linear_equals_the_oracle_bit_for_bit(rows: int, columns: int, sparsity: float) -> None:
    case = linear_case(rows, columns, sparsity, bias=True, relu=False)
    assert_exact(case, [{"beams": n} for n in BATCHES])


@pytest.mark.parametrize("batches", [(0, 3), (3, 0, 36)])
def test_no_rows_of_x_give_no_rows(batches: Sequence[int]) -> None:
    case = linear_case(31, 300, 0.9, bias=True, relu=False)
    interpreter = open_packed(write(packed(case.graph())))
    for n in batches:
        inputs = case.inputs({"beams": n})
        expected = evaluate(packed(case.graph()), inputs) if n else {"y0": np.zeros((0, 31), "f")}
        np.testing.assert_array_equal(run(interpreter, inputs)["y0"], expected["y0"], strict=True)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_bias_and_relu(bias: bool, relu: bool) -> None:
    case = linear_case(37, 300, 0.9, bias=bias, relu=relu)
    assert_exact(case, [{"beams": n} for n in (1, 5, 36)])


def test_the_rank_of_the_input_is_kept() -> None:
    case = linear_case(37, 64, 0.9, bias=True, relu=False, rank=3)
    lengths = [(1, 1), (3, 7), (1, 36), (5, 1), (2, 2)]
    assert_exact(case, [{"beams": b, "regions": r} for b, r in lengths])


@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize("shape", [(1, 1), (11, 6), (300, 257)])
def test_an_embedding_equals_the_oracle_bit_for_bit(
    shape: tuple[int, int], sparsity: float
) -> None:
    case = Case("embedding", (shape, ("beams",)), {}, {0: sparsity}, "dynamic_wi8")
    assert_exact(case, [{"beams": n} for n in (1, 5, 3, 36)])


# ---- several operators


def chain(*outputs: str) -> Graph:
    """ids -> word -> hidden -> y, with nothing but packed weights in between."""
    rng = np.random.default_rng(3)
    shapes = {"table": (50, 40), "w": (64, 40), "b": (64,), "v": (9, 64)}
    data = {n: rng.normal(size=s).astype(np.float32) for n, s in shapes.items()}
    constants = {n: Constant(n, array) for n, array in data.items()}
    attributes = {"activations": FLOAT, "relu": True}
    nodes = (
        Node("embedding", ("table", "ids"), ("word",)),
        Node("linear", ("word", "w", "b"), ("hidden",), attributes),
        Node("linear", ("hidden", "v"), ("y",), {**attributes, "relu": False}),
    )
    values = {"ids": TensorSpec("ids", ("beams",), "int32")}
    for node in nodes:
        given = [values[n].shape if n in values else shapes[n] for n in node.inputs]
        values[node.outputs[0]] = TensorSpec(node.outputs[0], infer_shapes(node, given)[0])
    graph = Graph("chain", ("ids",), outputs, nodes, values, constants)
    return packed(apply_recipe(check_shapes(graph), RECIPES["dynamic_wi8"]))


@pytest.mark.parametrize("outputs", [("y",), ("y", "hidden"), ("word", "y")])
def test_values_between_packed_operators_need_no_memory_of_the_runtime(
    outputs: tuple[str, ...],
) -> None:
    graph = chain(*outputs)
    interpreter = open_packed(write(graph))
    for n in (3, 50, 1, 8):
        inputs = {"ids": np.arange(n, dtype=np.int32) % 50}
        expected, got = evaluate(graph, inputs), run(interpreter, inputs)
        for name in outputs:
            np.testing.assert_array_equal(got[name], expected[name], strict=True)


def test_interpreters_in_threads_share_nothing() -> None:
    case = linear_case(300, 257, 0.9, bias=True, relu=False)
    graph = packed(case.graph())
    data = write(graph)
    wrong: list[int] = []

    def work(n: int) -> None:
        inputs = case.inputs({"beams": n})
        expected, interpreter = evaluate(graph, inputs)["y0"], open_packed(data)
        for _ in range(100):
            if not np.array_equal(run(interpreter, inputs)["y0"], expected):
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 3, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- what must fail, and say so


def test_without_the_delegate_the_file_does_not_run() -> None:
    case = linear_case(7, 13, 0.9, bias=True, relu=False)
    data = write(packed(case.graph()))
    with pytest.raises(RuntimeError, match=f"unresolved custom op: {SPARSE_LINEAR}"):
        run(open_file(data), case.inputs({"beams": 1}))


def test_an_id_outside_the_table_is_an_error() -> None:
    case = Case("embedding", ((11, 6), ("beams",)), {}, {0: 0.5}, "dynamic_wi8")
    interpreter = open_packed(write(packed(case.graph())))
    for bad in (11, -1):
        with pytest.raises(RuntimeError, match=f"id {bad}, the table has 11 rows"):
            run(interpreter, {"x1": np.array([0, bad], np.int32)})


def test_rows_of_another_length_are_an_error() -> None:
    with pytest.raises(REFUSED, match="x does not have rows of 600 numbers"):
        file_with(x_shape=("n", 599)).allocate_tensors()


def test_rows_of_nothing_are_an_error() -> None:
    with pytest.raises(REFUSED, match="x does not have rows of 600 numbers"):
        file_with(x_shape=("n", 0)).allocate_tensors()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"speed": "1"}, "the options are threads, report, rows_of_x and take"),
        ({"threads": "0"}, "threads is no number"),
        ({"threads": "65"}, "threads is no number"),
        ({"threads": "2x"}, "threads is no number"),
        ({"threads": "99999999999"}, "threads is no number"),
        ({"threads": "2", "rows_of_x": ""}, "rows_of_x is no number"),
        ({"take": "some"}, "take is not faster, all or packed"),
        ({"report": "/absent/report.tsv"}, "report cannot be written"),
    ],
)
def test_an_unknown_option_is_refused(options: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        load_delegate(str(build(product="litert")), options)


def test_the_library_exports_its_entry_points_only() -> None:
    library = ctypes.CDLL(str(build(product="litert")))
    assert library.tflite_plugin_create_delegate
    assert library.tflite_plugin_destroy_delegate
    assert not hasattr(library, "ck_run")


def file_with(
    blob: bytes = GOLDEN,
    *,
    x_shape: tuple[int | str, ...] = ("n", 600),
    vectors: Sequence[Constant] | None = None,
    options: bytes = b"\0",
    surplus: Sequence[int] = (),
    operator: str = SPARSE_LINEAR,
) -> Any:
    """An interpreter on one operator, made without the writer's checks."""
    model = TfliteModel("one")
    x = model.value(TensorSpec("x", x_shape, "float32"))
    y = model.value(TensorSpec("y", ("n", 2)))
    data = np.frombuffer(blob, np.uint8)
    ones = np.ones(2, np.float32)
    given = vectors if vectors is not None else (Constant("scale", ones), Constant("bias", ones))
    constants = [model.constant(c) for c in (Constant("w.cksb", data), *given)]
    model.custom_operator(operator, [x, *constants, *surplus], [y], options)
    return open_packed(model.serialize({"x": x}, {"y": y}))


def test_the_file_made_by_hand_is_sound() -> None:
    y = run(file_with(), {"x": np.zeros((1, 600), np.float32)})["y"]
    np.testing.assert_array_equal(y, np.ones((1, 2), np.float32))


@pytest.mark.parametrize("defect", sorted({*DEFECTS} - {"empty"}))
def test_a_damaged_blob_is_refused_with_its_name_and_the_reason(defect: str) -> None:
    blob, reason = DEFECTS[defect]
    with pytest.raises(REFUSED, match=rf"w\.cksb: .*{reason}"):
        file_with(blob)


@pytest.mark.parametrize("version", [1, 2])
def test_a_blob_of_an_older_version_is_as_good(version: int) -> None:
    x = np.random.default_rng(0).normal(size=(3, 600)).astype(np.float32)
    older = file_with(cksb.encode(golden_matrix(), version=version))
    expected, got = run(file_with(), {"x": x})["y"], run(older, {"x": x})["y"]
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("golden", [GOLDEN, WITH_FLOATS], ids=["plain", "floats"])
def test_no_damaged_byte_crashes(golden: bytes) -> None:
    """Every byte in turn: refused, or another matrix that is as valid."""
    x = np.ones((3, 600), np.float32)
    vectors = None if golden is GOLDEN else placeholders()
    refused = 0
    for at in range(len(golden)):
        blob = changed(at, golden[at] ^ 1 << at % 8, blob=golden)
        try:
            assert not np.isnan(run(file_with(blob, vectors=vectors), {"x": x})["y"]).any()
        except REFUSED:
            refused += 1
    assert refused > len(golden) // 2


def placeholders(scale: float = 1, bias: float = 0, length: int = 1) -> list[Constant]:
    """What a file has where scale and bias are in the blob."""
    return [
        Constant("scale", np.full(length, scale, np.float32)),
        Constant("bias", np.full(1, bias, np.float32)),
    ]


def test_floats_in_the_blob_mean_the_same() -> None:
    content = cksb.decode(WITH_FLOATS)
    beside = [Constant("scale", content.scale), Constant("bias", content.bias)]
    inside, plain = file_with(WITH_FLOATS, vectors=placeholders()), file_with(vectors=beside)
    for n in (1, 3, 36):
        x = np.random.default_rng(n).normal(size=(n, 600)).astype(np.float32)
        np.testing.assert_array_equal(run(inside, {"x": x})["y"], run(plain, {"x": x})["y"])


@pytest.mark.parametrize(
    ("vectors", "reason"),
    [
        (placeholders(scale=2), "scale is one number for all rows, but not 1"),
        (placeholders(bias=1), "bias is one number for all rows, but not 0"),
        (placeholders(length=2), "scale is no constant of one axis that fits"),
    ],
)
def test_floats_in_the_blob_and_beside_it_are_refused(
    vectors: Sequence[Constant], reason: str
) -> None:
    with pytest.raises(REFUSED, match=reason):
        file_with(WITH_FLOATS, vectors=vectors)


def vector(length: int, dtype: type = np.float32) -> Constant:
    return Constant("v", np.ones(length, dtype))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"vectors": (vector(3), vector(2))}, "no constant of one axis that fits"),
        ({"vectors": (vector(2), vector(3))}, "no constant of one axis that fits"),
        ({"vectors": (vector(1), vector(2))}, "no constant of one axis that fits"),
        ({"vectors": (vector(2), vector(1))}, "one number for all rows, but not 0"),
        ({"vectors": (vector(2, np.int32), vector(2))}, "type 2, not 1"),
        ({"vectors": (vector(2),)}, "wrong number of inputs"),
        ({"vectors": (vector(2),), "surplus": [OMITTED]}, "input or output is missing"),
        ({"vectors": (vector(2),), "surplus": [0]}, "no constant of one axis that fits"),
        ({"surplus": [0]}, "wrong number of inputs"),
        ({"options": b""}, "unknown options"),
        ({"options": b"\2"}, "unknown options"),
        ({"options": b"\0\0"}, "unknown options"),
        ({"operator": SPARSE_EMBEDDING, "vectors": (vector(2),)}, "type 1, not 2"),
    ],
)
def test_an_operator_with_other_inputs_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(REFUSED, match=reason):
        file_with(**change).allocate_tensors()
