"""Which weights each method drops, and how many."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from capexport.prune.magnitude import Gradual, keep_largest, magnitude_masks
from capexport.prune.pruning import prunable
from capexport.prune.supermask import Supermask

SIZES = {"a": (7, 11), "b": (3, 5), "bias": (7,), "one": (1, 1)}


def weights(seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) for name, shape in SIZES.items()}


def zeros(masks: dict[str, torch.Tensor]) -> int:
    return sum(int((mask == 0).sum()) for mask in masks.values())


def test_only_matrices_are_pruned() -> None:
    assert prunable(weights()) == ["a", "b", "one"]


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=40), st.floats(0, 1))
def test_the_smallest_are_dropped_and_exactly_as_many_as_asked(
    values: list[float], s: float
) -> None:
    tensor = torch.tensor(values)
    mask = keep_largest(tensor, s)
    assert int((~mask).sum()) == round(s * len(values))
    if mask.any() and not mask.all():
        assert tensor[~mask].max() <= tensor[mask].min()


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.9, 1.0])
def test_schemes_drop_the_same_share_of_the_whole(sparsity: float) -> None:
    total = 7 * 11 + 3 * 5 + 1
    for scheme in ("blind", "distribution"):
        assert zeros(magnitude_masks(weights(), sparsity, scheme)) == round(sparsity * total)
    uniform = magnitude_masks(weights(), sparsity, "uniform")
    assert zeros({"b": uniform["b"]}) == round(sparsity * 15)


def test_distribution_measures_each_layer_by_its_own_spread() -> None:
    scaled = {**weights(), "a": weights()["a"] * 1e6}
    blind = magnitude_masks(scaled, 0.15, "blind")
    fair = magnitude_masks(scaled, 0.15, "distribution")
    assert blind["a"].all()
    assert not fair["a"].all()


def test_gradual_rises_as_a_cube_and_then_keeps_its_mask() -> None:
    pruning = Gradual(0.9, "blind", until=8, every=1)
    total = 7 * 11 + 3 * 5 + 1
    names = prunable(weights())
    for step in range(9):
        used = pruning.effective(weights(), step)
        expected = round(0.9 * (1 - (1 - step / 8) ** 3) * total)
        assert zeros({n: used[n] for n in names}) == expected
    later = pruning.effective(weights(seed=1), 20)
    assert all(torch.equal(later[n] == 0, used[n] == 0) for n in names)


def test_gradual_reaches_its_target_in_a_run_that_is_too_short() -> None:
    pruning = Gradual(0.9, "blind", until=8)
    pruning.effective(weights(), 0)
    assert zeros({n: pruning.finished(weights())[n] for n in ("a", "b", "one")}) == round(0.9 * 93)


def learnt(sparsity: float, steps: int = 600) -> tuple[Supermask, dict[str, torch.Tensor]]:
    """Masks learnt for y = sum of a: weights of `a` in even columns matter, the others do not."""
    torch.manual_seed(0)
    tensors = {"a": torch.ones(10, 20)}
    matters = torch.arange(20) % 2 == 0
    pruning = Supermask(tensors, sparsity, steps, rate=0.05)
    for step in range(steps):
        used = pruning.effective(tensors, step)["a"]
        loss = ((1 - used) ** 2 * matters).mean()
        penalty = pruning.penalty(step)
        assert penalty is not None
        (loss + penalty).backward()
        pruning.learn()
    return pruning, tensors


def test_supermask_finds_the_weights_that_matter() -> None:
    pruning, tensors = learnt(0.5)
    kept = pruning.finished(tensors)["a"] != 0
    assert int(kept.sum()) == 100
    assert kept[:, ::2].float().mean() > 0.95


def test_supermask_reaches_any_target_exactly() -> None:
    for sparsity in (0.0, 0.37, 0.9):
        pruning, tensors = learnt(sparsity, steps=60)
        assert zeros(pruning.finished(tensors)) == round(sparsity * 200)


def test_supermask_goes_on_from_its_state() -> None:
    pruning, tensors = learnt(0.5, steps=30)
    again = Supermask(tensors, 0.5, 30, rate=0.05)
    again.restore(pruning.state())
    assert torch.equal(again.finished(tensors)["a"], pruning.finished(tensors)["a"])
