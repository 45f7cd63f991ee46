"""The walk through an .onnx file finds its packed weights, and stays inside the file."""

import gc
import mmap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import packed_onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from capexport.kernels import cksb
from capexport.kernels.build import build
from capexport.kernels.model_file import ModelFile

BLOB = np.frombuffer(cksb.encode(np.eye(5, 7, dtype=np.int8)), np.uint8)
CONSTANTS = {"weight": BLOB, "scale": np.ones(5, np.float32), "bias": np.zeros(5, np.float32)}
PADDING = 2000
"""Number of a field that onnx.proto3 does not have."""


def model() -> bytes:
    return packed_onnx.one_node("SparseInt8MatMul", TensorProto.FLOAT, CONSTANTS, relu=0)


@cache
def library() -> Path:
    return build(product="onnxruntime")


def blobs_of(folder: Path, content: bytes) -> dict[str, bytes]:
    path = folder / "model.onnx"
    path.write_bytes(content)
    file = ModelFile(library(), path)
    return {name: blob.tobytes() for name, blob in file.blobs.items()}


def varint(number: int) -> bytes:
    head, rest = number & 127, number >> 7
    return bytes([head | 128]) + varint(rest) if rest else bytes([head])


def up_to_a_page(content: bytes) -> bytes:
    """Behind a field of padding, so that the file ends where a page does: what reads on, dies."""
    key = varint(PADDING << 3 | 2)
    size = mmap.PAGESIZE - len(key) - 2 - len(content)
    assert 128 <= size < 1 << 14
    return key + varint(size) + bytes(size) + content


def test_packed_weights_are_found_and_nothing_else(tmp_path: Path) -> None:
    assert blobs_of(tmp_path, model()) == {"weight": BLOB.tobytes()}


def test_other_initializers_that_start_like_a_blob_are_left(tmp_path: Path) -> None:
    text = np.frombuffer(b"CKSB" * 4, np.uint8)
    tensors = [
        numpy_helper.from_array(text.view(np.int8), "int8"),
        numpy_helper.from_array(text.view(np.float32), "float"),
        numpy_helper.from_array(text[:4], "nothing behind it"),
        numpy_helper.from_array(text[1:], "shifted"),
        numpy_helper.from_array(text, ""),
        helper.make_tensor("as numbers", TensorProto.UINT8, [16], text.tolist()),
    ]
    whole = ModelProto.FromString(model())
    whole.graph.initializer.extend(tensors)
    assert blobs_of(tmp_path, whole.SerializeToString()) == {"weight": BLOB.tobytes()}


@pytest.mark.parametrize("content", [b"", b"\0", b"no model", bytes(5000), b"\xff" * 5000])
def test_no_model_has_no_weights(tmp_path: Path, content: bytes) -> None:
    assert blobs_of(tmp_path, content) == {}


def test_a_file_that_is_not_there_has_no_weights(tmp_path: Path) -> None:
    assert ModelFile(library(), tmp_path / "none.onnx").blobs == {}
    assert ModelFile(library(), tmp_path).blobs == {}


def damaged() -> Iterator[bytes]:
    whole = model()
    yield from (whole[:size] for size in range(len(whole)))
    rng = np.random.default_rng(0)
    for _ in range(1000):
        bytes_of_it = np.frombuffer(whole, np.uint8).copy()
        bytes_of_it[rng.integers(bytes_of_it.size, size=3)] = rng.integers(256, size=3)
        yield bytes_of_it.tobytes()


def test_damage_is_not_followed_out_of_the_file(tmp_path: Path) -> None:
    for content in damaged():
        found = blobs_of(tmp_path, up_to_a_page(content))
        assert all(blob in content for blob in found.values())


def test_the_map_goes_with_its_object(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(model())
    file = ModelFile(library(), path)
    assert str(path) in Path("/proc/self/maps").read_text()
    assert file.blobs["weight"].tobytes() == BLOB.tobytes()
    del file
    gc.collect()
    assert str(path) not in Path("/proc/self/maps").read_text()
