"""Training ends when held-out captions are said no better, and its best epoch is the result."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_training import tiny_checkpoint, tiny_examples

from capexport.captioner import build_captioner
from capexport.checkpoint import Checkpoint
from capexport.errors import InputError
from capexport.prune.early_stopping import BestEpoch, held_out_loss
from capexport.prune.examples import Examples, shifted
from capexport.prune.forced import forced_log_probs
from capexport.prune.pruning import Dense
from capexport.prune.run_state import load_state
from capexport.prune.supermask import Supermask
from capexport.prune.training import Plan, train

PLAN = Plan(epochs=60, batch=4, learning_rate=2e-2, dropout=0.0, patience=3, save_every=7)


def of_others() -> Examples:
    """Each image with another one's captions: the words can be learnt, then only by heart."""
    examples = tiny_examples()
    return replace(examples, tokens=examples.tokens.roll(1, 0))


def test_the_best_epoch_is_the_result() -> None:
    messages: list[str] = []
    trained = train(
        tiny_checkpoint(),
        tiny_examples(),
        PLAN,
        Dense(),
        held_out=of_others(),
        progress=messages.append,
    )
    steps = PLAN.steps(len(tiny_examples()))
    reached = int(messages[-1].split()[1])
    assert reached < steps
    assert reached % (steps // PLAN.epochs) == 0
    loss = held_out_loss(trained, of_others(), 2)
    assert messages[-1].endswith(f"held out {loss:.3f}")
    assert loss < held_out_loss(tiny_checkpoint(), of_others(), 2)


def test_the_held_out_loss_is_the_mean_over_words() -> None:
    """One image at a time, by the definition; batches of several end in a smaller one."""
    checkpoint, examples = tiny_checkpoint(), of_others()
    captioner, said = build_captioner(checkpoint), []
    for image in range(len(examples)):
        inputs, tokens = examples.take(torch.tensor([image]), 0, torch.device("cpu"))
        read, wanted, counts = shifted(tokens, checkpoint.decoding.bos)
        with torch.no_grad():
            log_probs = forced_log_probs(captioner, inputs, read)
        for place in counts.nonzero():
            said.append(-float(log_probs[tuple(place)][wanted[tuple(place)]]))
    for batch in (1, 3, 100):
        loss = held_out_loss(checkpoint, examples, batch)
        assert loss == pytest.approx(sum(said) / len(said), rel=1e-5)


def test_an_epoch_counts_only_once_the_masks_stand() -> None:
    plan, checkpoint = replace(PLAN, patience=1), tiny_checkpoint()
    steps = plan.steps(len(tiny_examples()))
    pruning = Supermask(checkpoint.tensors, 0.5, steps // 2, rate=0.05)
    messages: list[str] = []
    trained = train(
        checkpoint, tiny_examples(), plan, pruning, held_out=of_others(), progress=messages.append
    )
    assert steps // 2 < len(messages) < steps
    matrices = [t for t in trained.tensors.values() if t.ndim == 2]
    zeros = sum(int((t == 0).sum()) for t in matrices)
    assert zeros / sum(t.numel() for t in matrices) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("killed_at", [8, 20])
def test_a_killed_run_ends_like_one_that_was_not(killed_at: int, tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def kill(message: str) -> None:
        if message.startswith(f"step {killed_at} "):
            raise KilledError

    def run(progress: Callable[[str], None] = print) -> Checkpoint:
        return train(
            tiny_checkpoint(),
            tiny_examples(),
            PLAN,
            Dense(),
            held_out=of_others(),
            state=tmp_path / "state",
            progress=progress,
        )

    whole = run()
    (tmp_path / "state").unlink()
    with pytest.raises(KilledError):
        run(kill)
    resumed = run()
    for name, tensor in whole.tensors.items():
        assert torch.equal(resumed.tensors[name], tensor), name


def test_nothing_is_over_without_patience() -> None:
    best = BestEpoch(0)
    for loss in (1.0, 2.0, 3.0):
        best.take(loss, {})
    assert not best.is_over
    assert best.loss == 1.0


def test_a_state_that_lacks_a_part_is_damaged(tmp_path: Path) -> None:
    torch.save({"run": {}, "tensors": {}}, tmp_path / "state")
    with pytest.raises(InputError, match="cannot be read"):
        load_state(tmp_path / "state", {}, {}, others=("step",))


def test_products_in_bfloat16_learn_the_same_captions() -> None:
    """Eight bits of mantissa: losses of the same batches agree to about 2**-8 of themselves."""
    plan = Plan(epochs=6, batch=4, learning_rate=2e-2, dropout=0.0)
    losses = {}
    for bfloat16 in (False, True):
        messages: list[str] = []
        train(
            tiny_checkpoint(),
            tiny_examples(),
            replace(plan, bfloat16=bfloat16),
            Dense(),
            progress=messages.append,
        )
        losses[bfloat16] = [float(message.split("loss ")[1]) for message in messages]
    assert losses[True] != losses[False]
    assert losses[True] == pytest.approx(losses[False], rel=0.05)
