"""Supermask pruning: Bernoulli masks learnt together with the weights (Tan, Chan and Chuah, 2021).

Each weight has a logit. A step draws its mask from Bernoulli(sigmoid(logit)), and the gradient goes
straight through the draw. A loss strength * |target - sparsity| makes the whole model as sparse as
the target; which weights go is up to the captions' loss.

Three things differ from the paper, whose runs are a hundred times longer; the decision note
`supermask.md` says what each is for. The target rises, where theirs stands and the loss's weight is
annealed. The logits are learnt by Adam. And those of a matrix start in the order of its weights'
magnitudes, since it is a trained model that is pruned here.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from capexport.prune.magnitude import FixedMask, keep_largest_of_all
from capexport.prune.pruning import Tensors, prunable

START = 5.0
"""Mean first logit, as published: a weight is dropped in 0.7 % of the draws."""
SPREAD = 1.0
"""Between the first logits of a matrix's smallest and largest weight."""
RISE = 0.75
"""Share of the learning after which the target stands, and the masks become certain."""
NO_FLOOR = 1e-30
"""Adam's epsilon: a logit's gradient is as small as the number of logits is large."""


class Supermask:
    """Learns masks before step `until`, then keeps exactly the share that the target allows.

    The authors learn to the last step and take what sparsity comes out. Fixing the masks earlier
    gives the weights time to settle, at the sparsity that was asked for.

    Args:
        tensors: the weights, for their shapes and device.
        sparsity: share of zeros in all prunable weights together.
        until: first step with fixed masks.
        strength: weight of the sparsity loss.
        rate: how far a logit moves a step at most.
    """

    def __init__(
        self,
        tensors: Tensors,
        sparsity: float,
        until: int,
        *,
        strength: float = 20.0,
        rate: float = 0.05,
    ) -> None:
        self._logits = {
            name: _start(tensors[name].detach()).requires_grad_() for name in prunable(tensors)
        }
        self._count = sum(logit.numel() for logit in self._logits.values())
        self._sparsity, self._until, self._strength = sparsity, until, strength
        logits = list(self._logits.values())
        self._optimizer = torch.optim.Adam(logits, rate, eps=NO_FLOOR)
        self._fixed: FixedMask | None = None

    def effective(self, tensors: Tensors, step: int) -> dict[str, Tensor]:
        if step >= self._until and self._fixed is None:
            self._fix()
        if self._fixed is not None:
            return self._fixed.effective(tensors, step)
        drawn = {name: _draw(logit) for name, logit in self._logits.items()}
        return {n: t * drawn[n] if n in drawn else t for n, t in tensors.items()}

    def penalty(self, step: int) -> Tensor | None:
        if self._fixed is not None:
            return None
        kept = sum((_round(logit).sum() for logit in self._logits.values()), torch.zeros(()))
        missing = (self._target(step) - (1 - kept / self._count)).abs()
        return missing * self._strength

    def learn(self) -> None:
        if self._fixed is None:
            self._optimizer.step()
            self._optimizer.zero_grad()

    def settled(self, step: int) -> bool:
        return step >= self._until

    def finished(self, tensors: Tensors) -> dict[str, Tensor]:
        if self._fixed is None:
            self._fix()
        assert self._fixed is not None
        return self._fixed.finished(tensors)

    def state(self) -> dict[str, Any]:
        if self._fixed is not None:
            return {"fixed": self._fixed.state()}
        logits = {name: logit.detach() for name, logit in self._logits.items()}
        return {"logits": logits, "optimizer": self._optimizer.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        if "fixed" in state:
            self._fixed = FixedMask({})
            self._fixed.restore(state["fixed"])
            return
        with torch.no_grad():
            for name, logit in self._logits.items():
                logit.copy_(state["logits"][name])
        self._optimizer.load_state_dict(state["optimizer"])

    def _target(self, step: int) -> float:
        """Rises as in gradual pruning, fast while much can go."""
        return self._sparsity * (1 - (1 - min(1.0, step / (RISE * self._until))) ** 3)

    def _fix(self) -> None:
        logits = {name: logit.detach() for name, logit in self._logits.items()}
        self._fixed = FixedMask(keep_largest_of_all(logits, self._sparsity))


def _start(weight: Tensor) -> Tensor:
    """Logits that rise evenly with the weights' magnitudes."""
    flat = weight.abs().flatten()
    order = flat.argsort(stable=True)
    ranks = torch.empty_like(flat).scatter_(0, order, torch.linspace(-0.5, 0.5, len(flat)).to(flat))
    return (START + SPREAD * ranks).view(weight.shape)


def _draw(logit: Tensor) -> Tensor:
    """A Bernoulli draw whose gradient is that of its probability."""
    probability = torch.sigmoid(logit)
    return probability + (torch.bernoulli(probability) - probability).detach()


def _round(logit: Tensor) -> Tensor:
    """1 where the weight is more likely kept than not; the gradient is the probability's."""
    probability = torch.sigmoid(logit)
    return probability + ((probability > 0.5).float() - probability).detach()
