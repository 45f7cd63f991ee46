"""The loop learns, prunes to the target, and goes on after a kill as if nothing had been."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import CAPTIONS, tiny_checkpoint, tiny_examples

from capexport.captioner import build_captioner
from capexport.captioner.search import greedy
from capexport.checkpoint import Checkpoint
from capexport.errors import InputError
from capexport.prune.magnitude import FixedMask, Gradual, magnitude_masks
from capexport.prune.pruning import Dense, Pruning
from capexport.prune.supermask import Supermask
from capexport.prune.training import Plan, _Run, train

PLAN = Plan(epochs=60, batch=4, learning_rate=2e-2, dropout=0.0, label_smoothing=0.0)
SHORT = Plan(epochs=8, batch=4, save_every=5, average=0.4)
METHODS: dict[str, Callable[[Checkpoint, Plan], Pruning]] = {
    "dense": lambda checkpoint, plan: Dense(),
    "one-shot": lambda checkpoint, plan: FixedMask(
        magnitude_masks(checkpoint.tensors, 0.5, "uniform")
    ),
    "gradual": lambda checkpoint, plan: Gradual(0.5, "uniform", half(plan), every=3),
    "supermask": lambda checkpoint, plan: Supermask(checkpoint.tensors, 0.5, half(plan), rate=0.05),
}


def half(plan: Plan) -> int:
    return plan.steps(len(tiny_examples())) // 2


class KilledError(Exception):
    pass


def said(checkpoint: Checkpoint) -> list[str]:
    captioner, examples = build_captioner(checkpoint), tiny_examples()
    texts = []
    for image in range(len(CAPTIONS)):
        ids, _ = greedy(captioner, *(values[image] for values in examples.inputs.values()))
        texts.append(checkpoint.vocabulary.text(ids, checkpoint.decoding))
    return texts


@pytest.mark.parametrize("method", METHODS)
def test_captions_are_learnt_at_the_sparsity_that_was_asked_for(method: str) -> None:
    checkpoint = tiny_checkpoint()
    trained = train(checkpoint, tiny_examples(), PLAN, METHODS[method](checkpoint, PLAN))
    assert said(trained) == list(CAPTIONS)
    matrices = [t for t in trained.tensors.values() if t.ndim == 2]
    share = sum(int((t == 0).sum()) for t in matrices) / sum(t.numel() for t in matrices)
    assert share == pytest.approx(0.0 if method == "dense" else 0.5, abs=0.01)
    assert list(trained.tensors) == list(checkpoint.tensors)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("killed_at", [3, half(SHORT) - 1, half(SHORT) + 6])
def test_a_killed_run_ends_like_one_that_was_not(
    method: str, killed_at: int, tmp_path: Path
) -> None:
    checkpoint, examples = tiny_checkpoint(), tiny_examples()

    def kill(message: str) -> None:
        if message.startswith(f"step {killed_at} "):
            raise KilledError

    def run(**options: Any) -> Checkpoint:
        return train(checkpoint, examples, SHORT, METHODS[method](checkpoint, SHORT), **options)

    whole, state = run(), tmp_path / "state"
    with pytest.raises(KilledError):
        run(state=state, progress=kill)
    assert state.exists() == (killed_at > SHORT.save_every)
    resumed = run(state=state)
    state.unlink()
    for name, tensor in whole.tensors.items():
        assert torch.equal(resumed.tensors[name], tensor), name


def test_a_teacher_is_followed() -> None:
    teacher = train(tiny_checkpoint(), tiny_examples(), PLAN, Dense())
    plan = Plan(epochs=40, batch=4, learning_rate=2e-2, dropout=0.0, distillation=1.0)
    student = train(tiny_checkpoint(seed=5), tiny_examples(), plan, Dense(), teacher=teacher)
    assert said(student) == said(teacher)


def test_a_state_of_another_run_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"

    def kill(message: str) -> None:
        if message.startswith("step 6 "):
            raise KilledError

    with pytest.raises(KilledError):
        train(tiny_checkpoint(), tiny_examples(), SHORT, Dense(), state=state, progress=kill)
    other = replace(SHORT, epochs=9)
    with pytest.raises(InputError, match="another run"):
        train(tiny_checkpoint(), tiny_examples(), other, Dense(), state=state)


def test_a_state_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    train(tiny_checkpoint(), tiny_examples(), SHORT, Dense(), state=state)
    saved = torch.load(state, weights_only=True)
    saved["tensors"].popitem()
    torch.save(saved, state)
    with pytest.raises(InputError, match="lacks weights"):
        train(tiny_checkpoint(), tiny_examples(), SHORT, Dense(), state=state)


def test_a_loss_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(InputError, match="loss is"):
        train(tiny_checkpoint(), tiny_examples(), Plan(epochs=9, learning_rate=1e30), Dense())


def test_the_last_steps_are_averaged() -> None:
    """The mean of three steps' weights, the states of which longer and longer runs would end in."""
    checkpoint, examples = tiny_checkpoint(), tiny_examples()
    plan = Plan(epochs=4, batch=4, average=0.25)
    steps = plan.steps(len(examples))
    run = _Run(checkpoint, examples, plan, Dense(), None, None, torch.device("cpu"), "")
    passed = []
    while run.step < steps:
        run.advance()
        passed.append({name: t.detach().clone() for name, t in run._tensors.items()})
    result = run.result().tensors
    for name, tensor in result.items():
        torch.testing.assert_close(tensor, sum(weights[name] for weights in passed[-3:]) / 3)
    assert not torch.equal(result["logit.weight"], passed[-1]["logit.weight"])
