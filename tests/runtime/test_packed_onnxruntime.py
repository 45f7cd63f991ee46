"""A graph with packed weights opens with the kernels, or says what is missing."""

import re
from pathlib import Path

import numpy as np
import packed_onnx
import pytest
from onnx import TensorProto

from capexport.errors import BundleError, RuntimeMissingError
from capexport.kernels import cksb
from capexport.kernels.selftest import random_weights
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


def resident_kib(path: Path) -> int | None:
    """Of all maps of the file in this process, as /proc/self/smaps has them; None without a map."""
    maps = re.findall(
        r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ +(.*)\nSize.*\n(?:.*\n)*?Rss: +(\d+)",
        Path("/proc/self/smaps").read_text(),
        re.MULTILINE,
    )
    found = [int(kib) for name, kib in maps if name == str(path)]
    return sum(found) if found else None


def test_pages_of_the_file_are_dropped_once_they_are_packed(tmp_path: Path) -> None:
    weight = random_weights(np.random.default_rng(0), 2000, 900, 0.9)
    constants = {
        "weight": np.frombuffer(cksb.encode(weight), np.uint8),
        "scale": np.ones(2000, np.float32),
        "bias": np.zeros(2000, np.float32),
    }
    path = tmp_path / "large.onnx"
    path.write_bytes(packed_onnx.one_node("SparseInt8MatMul", TensorProto.FLOAT, constants, relu=0))
    first, second = (backend.open_graph(path, 1, packed=True) for _ in range(2))
    assert resident_kib(path) == 0
    x = np.round(np.random.default_rng(1).uniform(-127, 128, (8, 900))).astype(np.float32)
    x[:, :2] = -127, 128  # steps of 1, so exact
    expected = x @ weight.T.astype(np.float32)
    for graph in (first, second):  # two forms each, both from pages that were dropped before
        np.testing.assert_array_equal(graph.run({"x": x[:1]})["y"], expected[:1])
        np.testing.assert_array_equal(graph.run({"x": x})["y"], expected)
    assert resident_kib(path) == 0
    del first, graph
    np.testing.assert_array_equal(second.run({"x": x[:3]})["y"], expected[:3])
    del second
    assert resident_kib(path) is None
