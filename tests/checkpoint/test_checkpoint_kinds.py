"""Every kind of file that the trainer writes gives the same effective weights."""

import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from checkpoints import KINDS, MASK, write_up_down

from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.checkpoint.sparse_image_captioning.reader import PREFERENCE

FP16_RELATIVE = 2**-11
"""Half a unit in the last place of half precision."""
FP16_SMALLEST = 2**-25
"""Half of its smallest number above zero."""
GOLDEN_KINDS = ("", "_bin_mask", "_pruned", "_pruned_sparse", "_pruned_sparse_float16")


def assert_same_tensors(one: Checkpoint, other: Checkpoint, *, half: bool) -> None:
    assert list(one.tensors) == list(other.tensors)
    tolerance = {"rtol": FP16_RELATIVE, "atol": FP16_SMALLEST} if half else {"rtol": 0, "atol": 0}
    for name, tensor in one.tensors.items():
        torch.testing.assert_close(tensor, other.tensors[name], **tolerance)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_up_down(tmp_path / "model")


@pytest.mark.parametrize("kind", GOLDEN_KINDS)
def test_golden_kinds_agree(shared_data: Path, kind: str) -> None:
    golden = shared_data / "golden" / "updown_small_s90"
    reference = read_checkpoint(golden / "model_best_pruned.pth")
    checkpoint = read_checkpoint(golden / f"model_best{kind}.pth")
    assert_same_tensors(checkpoint, reference, half="float16" in kind)
    assert (checkpoint.parameters, checkpoint.nnz) == (730_565, 72_582)


@pytest.mark.parametrize("kind", KINDS)
def test_generated_kinds_agree(folder: Path, kind: str) -> None:
    write_up_down(folder, kind="model_best_pruned")
    reference = read_checkpoint(folder / "model_best_pruned.pth")
    checkpoint = read_checkpoint(write_up_down(folder, kind=kind) / f"{kind}.pth")
    assert_same_tensors(checkpoint, reference, half="float16" in kind)
    assert checkpoint.weights_file == f"{kind}.pth"


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_are_dense_float32_without_masks(tmp_path: Path, kind: str) -> None:
    checkpoint = read_checkpoint(write_up_down(tmp_path, kind=kind))
    assert not [name for name in checkpoint.tensors if name.endswith(MASK)]
    for tensor in checkpoint.tensors.values():
        assert (tensor.dtype, tensor.layout) == (torch.float32, torch.strided)


def test_container_from_before_torch_1_6(folder: Path, tmp_path: Path) -> None:
    old = write_up_down(tmp_path / "old", pre_1_6=True)
    assert not zipfile.is_zipfile(old / "model_best_pruned_sparse.pth")
    assert_same_tensors(read_checkpoint(old), read_checkpoint(folder), half=False)


@pytest.mark.parametrize("inner", ["", "trained/"])
def test_zip_of_the_folder(folder: Path, tmp_path: Path, inner: str) -> None:
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("__MACOSX/config.json", "clutter that macOS adds")
        for file in folder.rglob("*"):
            out.write(file, inner + file.relative_to(folder).as_posix())
    zipped, plain = read_checkpoint(archive), read_checkpoint(folder)
    assert_same_tensors(zipped, plain, half=False)
    assert (zipped.sha256, zipped.bytes_on_disk) == (plain.sha256, plain.bytes_on_disk)
    assert zipped.path == archive


def test_order_of_preference(folder: Path) -> None:
    names = [f"{kind}.pth" for kind in KINDS]
    assert set(PREFERENCE) == set(names)
    for kind in KINDS:
        write_up_down(folder, kind=kind)
    for name in PREFERENCE:
        assert read_checkpoint(folder).weights_file == name
        (folder / name).unlink()


def test_single_file_of_any_name(folder: Path) -> None:
    (folder / "model_best_pruned_sparse.pth").rename(folder / "renamed.pth")
    assert read_checkpoint(folder).weights_file == "renamed.pth"
    shutil.copy(folder / "renamed.pth", folder / "other.pth")
    assert read_checkpoint(folder / "other.pth").weights_file == "other.pth"
