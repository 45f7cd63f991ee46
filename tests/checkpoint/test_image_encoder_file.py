"""Weights files of image encoders, sound and hostile."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from capexport.checkpoint.image_encoder import read_encoder_file
from capexport.checkpoint.limits import Limits
from capexport.errors import CheckpointError

CONVOLUTION = {
    "op": "CONV_2D",
    "inputs": [0, 1, 2],
    "strideH": 2,
    "strideW": 2,
    "padding": 0,
    "fusedActivationFunction": 3,
}
DEPTHWISE = CONVOLUTION | {
    "op": "DEPTHWISE_CONV_2D",
    "inputs": [5, 3, 4],
    "strideH": 1,
    "strideW": 1,
}
ADD = {"op": "ADD", "inputs": [5, 6]}
POOL = {"op": "AVERAGE_POOL_2D", "inputs": [7]}
CLASSIFIER = CONVOLUTION | {"inputs": [8, 99, 99]}


def arrays() -> dict[str, Any]:
    random = np.random.default_rng(0)
    shapes = {"1": (4, 3, 5, 2), "2": (4,), "3": (1, 3, 3, 4), "4": (4,)}
    return {key: random.normal(size=shape).astype(np.float32) for key, shape in shapes.items()}


def write(path: Path, operators: list[dict[str, Any]], **changes: Any) -> Path:
    np.savez(path, meta=json.dumps({"ops": operators}), **(arrays() | changes))
    return path


def test_convolutions_before_the_pool(tmp_path: Path) -> None:
    path = write(tmp_path / "w.npz", [CONVOLUTION, DEPTHWISE, ADD, POOL, CLASSIFIER])
    file = read_encoder_file(path)
    assert file.bytes_on_disk == path.stat().st_size
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    dense, depthwise = file.weights
    stored = arrays()
    assert (dense.stride, dense.groups, dense.activation) == (2, 1, "relu6")
    assert dense.weight.shape == (4, 2, 3, 5)
    assert dense.weight[3, 1, 2, 4] == stored["1"][3, 2, 4, 1]
    assert (depthwise.stride, depthwise.groups) == (1, 4)
    assert depthwise.weight.shape == (4, 1, 3, 3)
    assert depthwise.weight[2, 0, 1, 0] == stored["3"][0, 1, 0, 2]
    assert depthwise.bias.tolist() == stored["4"].tolist()


@pytest.mark.parametrize(
    ("operators", "changes", "message"),
    [
        ([CONVOLUTION], {}, "no average pool"),
        ([POOL], {}, "there is no convolution"),
        ([{"op": "SOFTMAX"}, POOL], {}, "'SOFTMAX' is not known"),
        ([{}, POOL], {}, "no list of operators"),
        ([CONVOLUTION | {"inputs": [0, 1]}, POOL], {}, "cannot be read"),
        ([CONVOLUTION | {"inputs": [0, 1, 77]}, POOL], {}, "cannot be read"),
        ([CONVOLUTION | {"inputs": None}, POOL], {}, "cannot be read"),
        ([CONVOLUTION | {"padding": 1}, POOL], {}, "only SAME padding"),
        ([CONVOLUTION | {"strideW": 1}, POOL], {}, "one stride"),
        ([CONVOLUTION | {"fusedActivationFunction": 9}, POOL], {}, "cannot be read"),
        ([CONVOLUTION, POOL], {"1": np.ones((4, 3, 3))}, "no finite float32"),
        ([CONVOLUTION, POOL], {"1": np.ones((4, 3, 3), np.float32)}, "cannot be read"),
        ([CONVOLUTION, POOL], {"2": np.ones(3, np.float32)}, r"bias \[3\]"),
        ([CONVOLUTION, POOL], {"2": np.array([np.nan] * 4, np.float32)}, "no finite float32"),
        ([DEPTHWISE, POOL], {"3": np.ones((2, 3, 3, 4), np.float32)}, "weight"),
    ],
)
def test_what_does_not_fit_together(
    operators: list[dict[str, Any]], changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=message):
        read_encoder_file(write(tmp_path / "w.npz", operators, **changes))


@pytest.mark.parametrize("meta", ["", "[]", '{"ops": 3}', '{"ops": ["x"]}', "[" * 100_000])
def test_a_list_of_operators_that_is_none(meta: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", meta=meta, **arrays())
    with pytest.raises(CheckpointError, match="no list of operators"):
        read_encoder_file(tmp_path / "w.npz")


def test_pickled_arrays_are_not_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", meta=np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(CheckpointError, match="damaged"):
        read_encoder_file(tmp_path / "w.npz")


def test_every_cut_of_a_npz_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "w.npz", [CONVOLUTION, DEPTHWISE, POOL]).read_bytes()
    for length in range(0, len(whole), 11):
        (tmp_path / "w.npz").write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            read_encoder_file(tmp_path / "w.npz")


def test_flipped_bytes_of_a_npz_raise_nothing_else(tmp_path: Path) -> None:
    whole = write(tmp_path / "w.npz", [CONVOLUTION, DEPTHWISE, POOL]).read_bytes()
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] ^= 1 << random.integers(8)
        (tmp_path / "w.npz").write_bytes(damaged)
        try:
            read_encoder_file(tmp_path / "w.npz")
        except CheckpointError:
            continue


def bomb() -> bytes:
    """A zip of a few kilobytes that claims 10 MB."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.npy", bytes(10_000_000))
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", ["npz", "pth"])
def test_a_zip_that_unpacks_to_too_much(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"w.{suffix}"
    path.write_bytes(bomb())
    with pytest.raises(CheckpointError, match="unpacks to 10000000 bytes"):
        read_encoder_file(path, limits=Limits(weights_bytes=1_000_000))


def test_a_state_dictionary_without_its_counters(tmp_path: Path) -> None:
    norm = torch.nn.Sequential(torch.nn.BatchNorm2d(3))
    torch.save(norm.state_dict(), tmp_path / "w.pth")
    file = read_encoder_file(tmp_path / "w.pth")
    assert set(file.weights) == {"0.weight", "0.bias", "0.running_mean", "0.running_var"}


def damaged_state(path: Path) -> None:
    torch.save({"weight": torch.tensor([1.0, torch.nan])}, path)


def pickled_code(path: Path) -> None:
    torch.save(torch.nn.Linear(1, 1), path)


def no_file(path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (damaged_state, "NaN or infinite"),
        (pickled_code, "more than tensors"),
        (no_file, "cannot be read: No such file"),
        (Path.mkdir, "cannot be read: Is a directory"),
    ],
)
def test_a_state_dictionary_that_is_refused(
    make: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    make(tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=message):
        read_encoder_file(tmp_path / "w.pth")


def test_safetensors_are_the_same_state_dictionary(tmp_path: Path) -> None:
    norm = torch.nn.Sequential(torch.nn.BatchNorm2d(3)).half()
    safetensors.torch.save_file(norm.state_dict(), tmp_path / "w.safetensors")
    torch.save(norm.state_dict(), tmp_path / "w.pth")
    one, other = (read_encoder_file(tmp_path / name).weights for name in ("w.safetensors", "w.pth"))
    assert set(one) == set(other)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_damaged_and_other_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file({"weight": torch.ones(3)}, path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="damaged"):
            read_encoder_file(path)
    safetensors.torch.save_file({"weight": torch.ones(3, dtype=torch.int64)}, path)
    with pytest.raises(CheckpointError, match=r"a tensor is torch\.int64"):
        read_encoder_file(path)
    safetensors.torch.save_file({"weight": torch.ones(30)}, path)
    with pytest.raises(CheckpointError, match="declare more than 20 elements"):
        read_encoder_file(path, limits=Limits(elements=20))


def test_other_files_are_refused_by_their_suffix(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no weights file of an image encoder"):
        read_encoder_file(tmp_path / "model.tflite")
