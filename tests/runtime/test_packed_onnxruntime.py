"""A graph with packed weights opens with the kernels, or says what is missing."""

from pathlib import Path

import numpy as np
import packed_onnx
import pytest
from onnx import TensorProto

from capexport.errors import BundleError, RuntimeMissingError
from capexport.kernels import cksb
from capexport.runtime.backends import onnxruntime as backend

WEIGHT = np.eye(5, 7, dtype=np.int8)


def write_graph(folder: Path, blob: bytes) -> Path:
    constants = {
        "weight": np.frombuffer(blob, np.uint8),
        "scale": np.ones(5, np.float32),
        "bias": np.zeros(5, np.float32),
    }
    path = folder / "graph.onnx"
    path.write_bytes(packed_onnx.one_node("SparseInt8MatMul", TensorProto.FLOAT, constants, relu=0))
    return path


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return write_graph(tmp_path, cksb.encode(WEIGHT))


def test_the_kernels_run_it(graph: Path) -> None:
    opened = backend.open_graph(graph, 1, packed=True)
    assert opened.input_names == {"x"}
    x = np.linspace(-127, 128, 7, dtype=np.float32)[np.newaxis]  # steps of 1, so exact
    np.testing.assert_array_equal(opened.run({"x": np.round(x)})["y"], np.round(x)[:, :5])


def test_a_damaged_weight_is_a_damaged_bundle(tmp_path: Path) -> None:
    path = write_graph(tmp_path, b"CKSB" + bytes(60))
    with pytest.raises(BundleError, match="node layer: the blob is of an unknown version"):
        backend.open_graph(path, 1, packed=True)


def test_without_the_kernels_it_is_refused(graph: Path) -> None:
    with pytest.raises(BundleError, match="SparseInt8MatMul"):
        backend.open_graph(graph, 1, packed=False)


def test_without_a_compiler_the_error_says_so(
    graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", str(tmp_path / "no-compiler"))
    with pytest.raises(RuntimeMissingError) as raised:
        backend.open_graph(graph, 1, packed=True)
    assert "no-compiler" in raised.value.what
    assert raised.value.where
    assert "ziglang" in raised.value.hint


def test_a_library_that_does_not_load_is_named(
    graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "libcapexport_onnxruntime.so"
    library.write_text("no library")
    monkeypatch.setattr(backend, "build", lambda *, product: library)
    with pytest.raises(RuntimeMissingError, match="cannot load the kernels") as raised:
        backend.open_graph(graph, 1, packed=True)
    assert raised.value.where == str(library)
