"""The mask rule: which elements survive, and which masks are refused."""

from pathlib import Path

import pytest
import torch
from checkpoints import MASK, PRUNED_LOGITS, write_up_down

from capexport.checkpoint import read_checkpoint
from capexport.checkpoint.sparse_image_captioning.masks import apply_masks
from capexport.errors import CheckpointError, UnsupportedError

WEIGHT = "core.attention.h2att.weight"


def change(folder: Path, **tensors: torch.Tensor | None) -> Path:
    """Replace (None: remove) entries of the folder's model_best.pth."""
    file = folder / "model_best.pth"
    state = torch.load(file, weights_only=True) | tensors
    torch.save({name: t for name, t in state.items() if t is not None}, file)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_up_down(tmp_path, kind="model_best")


def masked(logits: list[float], prune_type: str = "supermask") -> list[float]:
    weights = {"w": torch.full((1, len(logits)), 3.0)}
    config = {"prune_type": prune_type}
    result = apply_masks(weights, {"w": torch.tensor([logits])}, config, "here")
    return result["w"][0].tolist()


def test_generated_file_has_the_traps(folder: Path) -> None:
    state = torch.load(folder / "model_best.pth", weights_only=True)
    logits, weight = state[WEIGHT + MASK], state[WEIGHT]
    assert set(PRUNED_LOGITS) <= {round(x, 12) for x in logits.flatten().tolist()}
    assert weight.count_nonzero() == weight.numel()


def test_logits_that_round_to_one_half_are_pruned() -> None:
    assert masked([0.0, -0.0, 1e-9, -1e-9, -5.0]) == [0.0] * 5
    assert masked([1e-3, 5.0, float("inf")]) == [3.0] * 3
    assert masked([float("-inf")]) == [0.0]


def test_supermask_rule_leaves_binary_masks_alone() -> None:
    assert masked([0.0, 1.0, -0.0]) == [0.0, 3.0, 0.0]


@pytest.mark.parametrize("prune_type", ["mask_freeze", "mag_blind", "lottery_mag_dist", "snip"])
def test_methods_with_binary_masks(prune_type: str) -> None:
    assert masked([0.0, 1.0], prune_type) == [0.0, 3.0]
    for value in (5.0, 0.5, -1.0, 1e-9):
        with pytest.raises(CheckpointError, match="values other than 0 and 1"):
            masked([0.0, value], prune_type)


def test_binary_masks_end_to_end(tmp_path: Path, folder: Path) -> None:
    other = write_up_down(tmp_path / "frozen", kind="model_best", prune_type="mask_freeze")
    frozen, supermask = read_checkpoint(other), read_checkpoint(folder)
    assert torch.equal(frozen.tensors[WEIGHT], supermask.tensors[WEIGHT])


def test_unknown_method(tmp_path: Path) -> None:
    config = {"prune_type": "movement"}
    folder = write_up_down(tmp_path, kind="model_best", config=config)
    with pytest.raises(UnsupportedError, match="'movement' is not known"):
        read_checkpoint(folder)


def test_method_does_not_matter_without_masks(tmp_path: Path) -> None:
    assert read_checkpoint(write_up_down(tmp_path, config={"prune_type": None})).nnz > 0


def test_mask_without_weight(folder: Path) -> None:
    change(folder, **{WEIGHT: None})
    with pytest.raises(CheckpointError, match="mask has no weight") as caught:
        read_checkpoint(folder)
    assert caught.value.where.endswith(f"model_best.pth: {WEIGHT}{MASK}")


def test_mask_left_over_from_another_model(folder: Path) -> None:
    change(folder, **{WEIGHT + MASK: torch.ones(3, 4)})
    with pytest.raises(CheckpointError, match=r"mask has shape \(3, 4\)"):
        read_checkpoint(folder)


def test_nan_in_a_mask(folder: Path) -> None:
    state = torch.load(folder / "model_best.pth", weights_only=True)
    change(folder, **{WEIGHT + MASK: torch.full_like(state[WEIGHT], float("nan"))})
    with pytest.raises(CheckpointError, match="mask holds NaN"):
        read_checkpoint(folder)
