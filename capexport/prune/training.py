"""A captioner's weights + examples -> better weights: one loop for training and every pruning."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from capexport.captioner import Captioner, build_captioner
from capexport.captioner.blocks import Dropout
from capexport.checkpoint import BUFFERS, Checkpoint
from capexport.errors import InputError
from capexport.prune.early_stopping import BestEpoch, held_out_loss
from capexport.prune.examples import Examples, shifted
from capexport.prune.forced import forced_log_probs
from capexport.prune.initial import with_tensors
from capexport.prune.pictures import encoded
from capexport.prune.pruning import Pruning
from capexport.prune.run_state import load_state, save_state


@dataclass(frozen=True)
class Plan:
    """How to train.

    Args:
        epochs, batch: rounds over all images, and images a step.
        captions: of each image a step, drawn anew every time; 0: all. Captions of one image say
            much the same, so two of five teach nearly as much a step at two fifths of the time.
        learning_rate: highest; one cycle with cosine sides.
        warm_up: share of the steps before the highest.
        weight_decay: of AdamW, on matrices.
        label_smoothing: probability spread over all words.
        dropout: on features, words and what the output reads.
        clip: longest gradient.
        average: share of the steps, the last ones, whose weights' mean is the result. It captions
            better than the last weights alone (Izmailov et al., 2018).
        patience: epochs without a better loss on held-out images after which training ends; its
            best epoch is the result then. 0: all epochs are run, and nothing is held out.
        bfloat16: products of matrices in half the bits; sums and weights stay float32.
        distillation: share of the loss that follows the teacher instead of the references.
        seed: of batches, dropout and masks.
        save_every: steps between two saves of an interrupted run's state.
    """

    epochs: int
    batch: int = 16
    captions: int = 0
    learning_rate: float = 8e-4
    warm_up: float = 0.1
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    dropout: float = 0.5
    clip: float = 5.0
    average: float = 0.0
    patience: int = 0
    bfloat16: bool = False
    distillation: float = 0.0
    seed: int = 0
    save_every: int = 200

    def __post_init__(self) -> None:
        if self.average and self.patience:
            raise InputError(
                "the last steps' average and the best epoch are two answers",
                where="average and patience",
                hint="leave one of them out",
            )

    def steps(self, images: int) -> int:
        return self.epochs * (images // min(self.batch, images))


def train(
    checkpoint: Checkpoint,
    examples: Examples,
    plan: Plan,
    pruning: Pruning,
    *,
    held_out: Examples | None = None,
    teacher: Checkpoint | None = None,
    state: Path | None = None,
    identity: str = "",
    device: str = "cpu",
    progress: Callable[[str], None] = lambda _: None,
) -> Checkpoint:
    """Train all weights, pruned as `pruning` says.

    The result depends on the arguments alone: every step draws from a generator seeded by its
    number, so a run that was killed and goes on from `state` ends like one that was not.

    Args:
        held_out: images that `plan.patience` judges epochs by, once no mask changes any more.
        teacher: a captioner of the same vocabulary, for `plan.distillation`.
        state: file that holds an interrupted run, and at the end the finished one; the caller
            removes it once the result is safe.
        identity: what else the run depends on: model, data, method. A state of another is refused.
        device: `cpu` or `cuda`.
        progress: is told the step, the number of steps, and losses in nats a word.

    Raises:
        InputError: `state` is damaged or of another run, or the loss or a weight is not finite.
    """
    run = _Run(
        checkpoint, examples, plan, pruning, held_out, teacher, torch.device(device), identity
    )
    if state is not None and state.exists():
        run.restore(state)
    while not run.is_over:
        loss = run.advance()
        progress(f"step {run.step} of {run.steps}, loss {loss:.3f}{run.said_of_held_out}")
        if state is not None and (run.step % plan.save_every == 0 or run.is_over):
            run.save(state)
    return run.result()


class _Run:
    """Training under way: everything that changes from step to step."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        examples: Examples,
        plan: Plan,
        pruning: Pruning,
        held_out: Examples | None,
        teacher: Checkpoint | None,
        device: torch.device,
        identity: str,
    ) -> None:
        self._checkpoint, self._examples, self._plan = checkpoint, examples, plan
        self._held_out, self._best = held_out, BestEpoch(plan.patience)
        self._pruning, self._device = pruning, device
        self._run = {"plan": asdict(plan), "identity": identity}
        self._buffers = {
            name: tensor.clone().to(device)
            for name, tensor in checkpoint.tensors.items()
            if name.endswith(BUFFERS)
        }
        self._tensors = {
            name: tensor.clone().to(device).requires_grad_()
            for name, tensor in checkpoint.tensors.items()
            if name not in self._buffers
        }
        matrices = [t for t in self._tensors.values() if t.ndim > 1]
        vectors = [t for t in self._tensors.values() if t.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": plan.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups)
        self._mean: dict[str, Tensor] = {}
        self._teacher = None if teacher is None else _on(teacher, device)
        self.step, self.steps = 0, plan.steps(len(examples))
        self._order: tuple[int, list[Tensor]] = (-1, [])

    @property
    def is_over(self) -> bool:
        return self.step == self.steps or self._best.is_over

    @property
    def said_of_held_out(self) -> str:
        return f", held out {self._best.loss:.3f}" if self._best.tensors else ""

    def advance(self) -> float:
        """One step; returns its loss in nats a word, penalties left out."""
        for group in self._optimizer.param_groups:
            group["lr"] = _one_cycle(self._plan, self.step / self.steps)
        torch.manual_seed((self._plan.seed << 32) + self.step)
        inputs, tokens = self._examples.take(self._batch(), self._plan.captions, self._device)
        loss = self._loss(inputs, tokens)
        penalty = self._pruning.penalty(self.step)
        self._optimizer.zero_grad()
        (loss if penalty is None else loss + penalty).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._tensors.values(), self._plan.clip)
        self._optimizer.step()
        self._pruning.learn()
        self.step += 1
        self._average()
        value = _finite(float(loss.detach()), self.step)
        if self.step % (self.steps // self._plan.epochs) == 0:
            self._judge()
        return value

    def result(self) -> Checkpoint:
        best = self._best.tensors or {**(self._mean or self._tensors), **self._buffers}
        trained = {name: best[name] for name in self._tensors}
        tensors = {n: t.cpu() for n, t in self._pruning.finished(trained).items()}
        if broken := [n for n, t in tensors.items() if not t.isfinite().all()]:
            raise InputError(
                "training ended in numbers that are not finite",
                where=broken[0],
                hint="use a smaller learning rate",
            )
        tensors |= {n: best[n].cpu() for n in self._buffers}
        return with_tensors(self._checkpoint, {n: tensors[n] for n in self._checkpoint.tensors})

    # ---------------------------------------------------------------- one step
    def _average(self) -> None:
        """Take the weights into the mean of the plan's last steps."""
        count = self.step - self.steps + round(self._plan.average * self.steps)
        if count > 0:
            for name, tensor in self._tensors.items():
                mean = self._mean.setdefault(name, torch.zeros_like(tensor).detach())
                mean.lerp_(tensor.detach(), 1 / count)

    def _judge(self) -> None:
        """Hear what the epoch's weights say of the held-out images."""
        if self._held_out is None or not self._pruning.settled(self.step):
            return
        weights = {**self._pruning.effective(self._tensors, self.step), **self._buffers}
        current = with_tensors(self._checkpoint, weights)
        loss = _finite(held_out_loss(current, self._held_out, self._plan.batch), self.step)
        self._best.take(loss, self._weights())

    def _batch(self) -> Tensor:
        steps = self.steps // self._plan.epochs
        epoch, number = divmod(self.step, steps)
        if self._order[0] != epoch:
            seed = self._plan.seed * 1_000_003 + epoch
            self._order = epoch, list(self._examples.batches(self._plan.batch, seed))
        return self._order[1][number]

    def _loss(self, inputs: dict[str, Tensor], tokens: Tensor) -> Tensor:
        tensors = self._pruning.effective(self._tensors, self.step)
        current = with_tensors(self._checkpoint, {**tensors, **self._buffers})
        captioner = _trainable(current.without_image_encoder(), self._plan)
        read, wanted, counts = shifted(tokens, self._checkpoint.decoding.bos)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._plan.bfloat16):
            log_probs = forced_log_probs(captioner, encoded(current, inputs), read).float()
        said = -log_probs.gather(-1, wanted[..., None])[..., 0]
        smoothing = self._plan.label_smoothing
        losses = (1 - smoothing) * said - smoothing * log_probs.mean(-1)
        if self._teacher is not None:
            share = self._plan.distillation
            losses = (1 - share) * losses + share * self._taught(inputs, read, log_probs)
        return (losses * counts).sum() / counts.sum()

    def _taught(self, inputs: dict[str, Tensor], read: Tensor, log_probs: Tensor) -> Tensor:
        """Cross entropy with the teacher's distribution, nats [images, captions, steps]."""
        assert self._teacher is not None
        with torch.no_grad():
            wanted = forced_log_probs(self._teacher, inputs, read).exp()
        return -(wanted * log_probs).sum(-1)

    # ---------------------------------------------------------------- resuming
    def save(self, file: Path) -> None:
        save_state(
            file,
            self._run,
            {n: t.detach() for n, t in self._weights().items()},
            step=self.step,
            mean=self._mean,
            best=self._best.state(),
            optimizer=self._optimizer.state_dict(),
            pruning=self._pruning.state(),
        )

    def restore(self, file: Path) -> None:
        weights = self._weights()
        shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
        saved = load_state(file, self._run, shapes, others=_REACHED, device=self._device)
        if set(saved["tensors"]) != set(weights):
            raise InputError(
                "the state lacks weights", where=str(file), hint="remove the file to start anew"
            )
        with torch.no_grad():
            for name, tensor in saved["tensors"].items():
                weights[name].copy_(tensor)
        self._mean = dict(saved["mean"])
        self._best.restore(saved["best"])
        self._optimizer.load_state_dict(saved["optimizer"])
        self._pruning.restore(saved["pruning"])
        self.step = saved["step"]

    def _weights(self) -> dict[str, Tensor]:
        return {**self._tensors, **self._buffers}


_REACHED = ("step", "mean", "best", "optimizer", "pruning")
"""What a state holds beside weights and buffers."""


def _finite(loss: float, step: int) -> float:
    if not math.isfinite(loss):
        raise InputError(
            f"the loss is {loss} at step {step}",
            where="training",
            hint="use a smaller learning rate",
        )
    return loss


def _one_cycle(plan: Plan, done: float) -> float:
    """Learning rate after a share `done` of the steps (Smith, 2018)."""
    if done < plan.warm_up:
        rising = (1 - math.cos(math.pi * done / plan.warm_up)) / 2
        return plan.learning_rate * (0.04 + 0.96 * rising)
    falling = (1 + math.cos(math.pi * (done - plan.warm_up) / (1 - plan.warm_up))) / 2
    return plan.learning_rate * (1e-4 + (1 - 1e-4) * falling)


def _trainable(checkpoint: Checkpoint, plan: Plan) -> Captioner:
    """The captioner with its dropout switched on."""
    captioner = build_captioner(checkpoint)
    for module in (captioner.encoder, captioner.decoder_step):
        module.train()
        for part in module.modules():
            if isinstance(part, Dropout):
                part.p = plan.dropout
    return captioner


def _on(checkpoint: Checkpoint, device: torch.device) -> Captioner:
    tensors = {name: tensor.to(device) for name, tensor in checkpoint.tensors.items()}
    return build_captioner(with_tensors(checkpoint, tensors))
