"""LiteRT libraries whose interface is not the one that is known: refused before memory is hurt."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from compiled_models import LITERT, CompiledGraph, GraphError
from one_op import Case
from packed_files import packed

from capexport.compress import RECIPES, apply_recipe
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import FLOAT, check_shapes
from capexport.kernels.build import KERNELS
from capexport.kernels.compiler import find_compiler, run_compiler
from capexport.kernels.targets import TARGETS
from capexport.spec.signature import TensorSpec
from capexport.writers.tflite import write

Other = Callable[[str], Path]
TYPE_BYTES = 72
"""Of LiteRT 2.3: the number of the type, rank and strides in four bytes, 8 axes, 8 strides."""


@pytest.fixture
def other(tmp_path: Path) -> Other:
    """A library that differs from the installed one as tests/kernels/other_litert.c says."""

    def compile_it(definition: str) -> Path:
        folder = Path(__file__).parent
        abi = KERNELS / "adapters" / "litert_compiled_model"
        library = tmp_path / "libOther.so"
        run_compiler(
            [
                *find_compiler(TARGETS["host"]),
                *("-std=c11", "-shared", "-fPIC", f"-D{definition}", f"-I{abi}"),
                *(str(folder / "other_litert.c"), "-o", str(library)),
                *(f"-L{LITERT.parent}", "-Wl,--no-as-needed", "-l:libLiteRt.so", "-ldl"),
                f"-Wl,-rpath,{LITERT.parent}",
            ],
            tmp_path,
        )
        return library

    return compile_it


def chain() -> Graph:
    """words [n, 2, 40] -> their sum [n, 40], by XNNPACK -> y [n, 64], by an operator of ours."""
    weights = np.random.default_rng(3).normal(size=(64, 40)).astype(np.float32)
    nodes = (
        Node("sum", ("words",), ("sum",), {"axis": 1}),
        Node("linear", ("sum", "w"), ("y",), {"activations": FLOAT, "relu": False}),
    )
    values = {
        "words": TensorSpec("words", ("n", 2, 40)),
        "sum": TensorSpec("sum", ("n", 40)),
        "y": TensorSpec("y", ("n", 64)),
    }
    graph = Graph("chain", ("words",), ("y",), nodes, values, {"w": Constant("w", weights)})
    return packed(apply_recipe(check_shapes(graph), RECIPES["dynamic_wi8"]))


def run(graph: Graph, folder: Path, library: Path) -> np.ndarray:
    path = folder / "graph.tflite"
    path.write_bytes(write(graph))
    with CompiledGraph(path, library=library) as compiled:
        return compiled.run({"words": np.ones((3, 2, 40), np.float32)})["y"]


def test_a_library_that_does_the_same_passes(other: Other, tmp_path: Path) -> None:
    expected = run(chain(), tmp_path, LITERT)
    np.testing.assert_array_equal(
        run(chain(), tmp_path, other(f"TYPE_BYTES={TYPE_BYTES}")), expected
    )


@pytest.mark.parametrize("size", [8, TYPE_BYTES - 4, TYPE_BYTES + 4, 2 * TYPE_BYTES])
def test_a_type_of_another_size_is_refused(size: int, other: Other, tmp_path: Path) -> None:
    reason = f"writes the type of a tensor in {size} bytes, 2.3 in {TYPE_BYTES}"
    with pytest.raises(GraphError, match=reason):
        run(chain(), tmp_path, other(f"TYPE_BYTES={size}"))


@pytest.mark.parametrize(("size", "name"), [(3 * 40 * 4, "sum"), (3 * 64 * 4, "y")])
def test_memory_that_does_not_fit_what_an_operator_reads_or_writes(
    size: int, name: str, other: Other, tmp_path: Path
) -> None:
    with pytest.raises(GraphError, match=f"LiteRT gives {name} memory for another shape"):
        run(chain(), tmp_path, other(f"WRONG_SIZE={size}"))


def test_memory_that_does_not_fit_an_output(other: Other, tmp_path: Path) -> None:
    """Of a graph without an operator of ours, whose own check would come first."""
    shapes = (("n", 7), (5, 7))
    case = Case("linear", shapes, {"activations": FLOAT, "relu": False}, {1: 0.0}, "fp32")
    path, (name,) = tmp_path / "graph.tflite", case.graph().inputs
    path.write_bytes(write(case.graph()))
    with (
        CompiledGraph(path, library=other("WRONG_SIZE=60")) as compiled,
        pytest.raises(GraphError, match="LiteRT has memory of another shape for y0"),
    ):
        compiled.run({name: np.zeros((3, 7), np.float32)})


def test_litert_stays_loaded(other: Other, tmp_path: Path) -> None:
    """Release 2.2 leaves functions to exit() that crash where its library is gone."""
    (tmp_path / "graph.tflite").write_bytes(write(chain()))
    program = """
import sys
from pathlib import Path
from compiled_models import CompiledGraph
library = Path(sys.argv[2])
with CompiledGraph(Path(sys.argv[1]), library=library):
    pass
print(str(library) in Path("/proc/self/maps").read_text())
"""
    library = other(f"TYPE_BYTES={TYPE_BYTES}")
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "graph.tflite"), str(library)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert result.stdout.strip() == "True"
