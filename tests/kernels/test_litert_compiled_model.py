"""LiteRT without a delegate, by compiled models: the same bits as with it, or a reason."""

import ctypes
import gc
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from cksb_blobs import DEFECTS, GOLDEN
from compiled_models import LITERT, CompiledGraph, GraphError
from litert_files import open_file, run
from one_op import Case
from packed_files import open_packed, packed
from sanitized import SANITIZE, sanitized
from up_down_graphs import random_inputs, tiny_graphs

from capexport.compress import RECIPES, apply_recipe
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Constant, Graph
from capexport.ir.ops import FLOAT
from capexport.kernels import cksb
from capexport.kernels.build import build_run_litert, c_files
from capexport.kernels.products import RUN_LITERT
from capexport.spec.signature import TensorSpec
from capexport.writers.tflite import write
from capexport.writers.tflite.model import TfliteModel
from capexport.writers.tflite.packed_operators import SPARSE_EMBEDDING, SPARSE_LINEAR

BATCHES = (1, 3, 5, 6, 36, 1)
SHAPES = ((1, 1), (1, 67), (67, 1), (31, 300), (300, 257))
SPARSITIES = (0.0, 0.95, 1.0)
BEAMS_AND_REGIONS = ((1, 36), (3, 36), (3, 10), (1, 10), (1, 36))

OPENINGS = 25
LEAST_ALLOCATION = 16
"""Bytes: no leak of glibc's malloc is smaller."""

Arrays = Mapping[str, np.ndarray]
Save = Callable[[bytes], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def to_file(data: bytes) -> Path:
        path = tmp_path / "graph.tflite"
        path.write_bytes(data)
        return path

    return to_file


class MallInfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def bytes_in_use() -> int:
    """Of malloc, in this process."""
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = MallInfo
    info = libc.mallinfo2()
    return int(info.uordblks + info.hblkhd)


def assert_same(got: Arrays, expected: Arrays) -> None:
    assert got.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(got[name], expected[name], strict=True)


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


def int8(graph: Graph) -> Graph:
    return apply_recipe(graph, RECIPES["dynamic_wi8"])


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


def test_closing_gives_back_every_byte(save: Save) -> None:
    """By the allocator's own count; resident memory swings by kilobytes with every opening."""
    case = linear(31, 300, 0.95)
    graph, inputs = save(write(packed(case.graph()))), case.inputs({"beams": 3})

    def open_run_close() -> None:
        with CompiledGraph(graph) as compiled:
            compiled.run(inputs)

    def growth() -> int:
        """Bytes in use after a batch of openings, less those before it."""
        gc.collect()
        before = bytes_in_use()
        for _ in range(OPENINGS):
            open_run_close()
        gc.collect()
        return bytes_in_use() - before

    # Caches grow in the first hundreds of openings; a leak grows in every batch.
    assert min(growth() for _ in range(6)) < OPENINGS * LEAST_ALLOCATION


# ---- what must fail, and say so


class HandMade:
    """A file made without the writer's checks: operators side by side on one x [n, 600]."""

    def __init__(self) -> None:
        self._model = TfliteModel("made_by_hand")
        self._x = self._model.value(TensorSpec("x", ("n", 600), "float32"))
        self._outputs: dict[str, int] = {}

    def constant(self, name: str, array: np.ndarray) -> int:
        return self._model.constant(Constant(name, array))

    def blob(self, name: str, blob: bytes = GOLDEN) -> int:
        return self.constant(name, np.frombuffer(blob, np.uint8))

    def add(
        self, *constants: int, rows: int = 2, options: bytes = b"\0", name: str = SPARSE_LINEAR
    ) -> None:
        output = f"y{len(self._outputs)}"
        self._outputs[output] = self._model.value(TensorSpec(output, ("n", rows)))
        self._model.custom_operator(name, [self._x, *constants], [self._outputs[output]], options)

    def file(self) -> bytes:
        return self._model.serialize({"x": self._x}, self._outputs)


def one_operator(
    blob: bytes = GOLDEN, *, options: bytes = b"\0", name: str = SPARSE_LINEAR
) -> bytes:
    model, ones = HandMade(), np.ones(2, np.float32)
    constants = model.blob("w.cksb", blob), model.constant("scale", ones), model.constant("b", ones)
    model.add(*constants, options=options, name=name)
    return model.file()


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


# ---- the program


def run_program(program: Path, model: Path, inputs: Arrays) -> subprocess.CompletedProcess[str]:
    """Writes inputs beside the model, where the outputs will lie as well."""
    shapes = []
    for name, array in inputs.items():
        (model.parent / name).write_bytes(array.tobytes())
        kind = "i32" if array.dtype == np.int32 else "f32"
        shapes.append(f"{name}={kind}:{'x'.join(map(str, array.shape))}")
    command = map(str, [program, LITERT, model, model.parent, *shapes])
    return subprocess.run([*command], capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def sanitized_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = c_files(*RUN_LITERT.folders)
    return sanitized(tmp_path_factory.mktemp("sanitized"), SANITIZE, sources)


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Path:
    """The program as it is built, or the one with sanitizers."""
    built: Path = (
        request.getfixturevalue("sanitized_program") if request.param else build_run_litert()
    )
    return built


both_programs = pytest.mark.parametrize("program", [False, True], ids=["", "asan"], indirect=True)


@both_programs
@pytest.mark.parametrize("number", [0, 1], ids=["encoder", "decoder"])
def test_the_program_writes_the_same_bits(program: Path, number: int, save: Save) -> None:
    graph = packed(int8(tiny_graphs()[number]))
    model, inputs = save(write(graph)), random_inputs(graph, 3, 10)
    result = run_program(program, model, inputs)
    assert result.returncode == 0, result.stderr[-2000:]
    lines = result.stdout.splitlines()
    expected = run(open_packed(write(graph)), inputs)
    assert len(lines) == len(expected)
    for name, array in expected.items():
        assert f"{name}=f32:{'x'.join(map(str, array.shape))}" in lines
        assert (model.parent / name).read_bytes() == array.tobytes()


@both_programs
def test_the_program_says_why_it_failed(program: Path, save: Save) -> None:
    x = np.zeros((3, 600), np.float32)
    for inputs, reason in (({}, "x has not been set"), ({"x": x[:0]}, "x: no such shape")):
        result = run_program(program, save(one_operator()), inputs)
        assert result.returncode == 1, result.stderr[-2000:]
        assert reason in result.stderr


@both_programs
def test_the_program_refuses_damaged_blobs(program: Path, save: Save) -> None:
    x = np.zeros((3, 600), np.float32)
    for blob, reason in (defect for defect in DEFECTS.values() if defect[0]):
        result = run_program(program, save(one_operator(blob)), {"x": x})
        assert result.returncode == 1, result.stderr[-2000:]
        assert "w.cksb: " in result.stderr
        assert reason in result.stderr
