"""The program that runs a .tflite by LiteRT's compiled models, as built and with sanitizers."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from cksb_blobs import DEFECTS
from compiled_files import Arrays, Save, int8, one_operator
from compiled_models import LITERT
from litert_files import run
from packed_files import open_packed, packed
from sanitized import SANITIZE, sanitized
from up_down_graphs import random_inputs, tiny_graphs

from capexport.kernels.build import build_run_litert, c_files
from capexport.kernels.products import RUN_LITERT
from capexport.writers.tflite import write


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
