"""Pruning by magnitude: at once, or gradually while training goes on.

Gradual: Zhu and Gupta, "To prune, or not to prune", 2017: sparsity rises as 1 - (1 - t)^3.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from capexport.prune.pruning import Tensors, prunable

Scheme = Literal["blind", "uniform", "distribution"]
"""Which weights compete. blind: all of the model with one threshold. uniform: those of a layer, and
every layer loses the same share. distribution: all of the model, each measured in standard
deviations of its layer (See, Luong and Manning, 2016)."""


def magnitude_masks(tensors: Tensors, sparsity: float, scheme: Scheme) -> dict[str, Tensor]:
    """Bool masks of the weights to keep, so that a share `sparsity` of all is dropped."""
    names = prunable(tensors)
    sizes = {name: tensors[name].detach().abs().float() for name in names}
    if scheme == "uniform":
        return {name: keep_largest(sizes[name], sparsity) for name in names}
    if scheme == "distribution":
        sizes = {name: size / _spread(size) for name, size in sizes.items()}
    return keep_largest_of_all(sizes, sparsity)


def _spread(sizes: Tensor) -> Tensor:
    """Standard deviation about zero, which is where weights lie around; never 0."""
    return sizes.square().mean().sqrt().clamp_min(torch.finfo(sizes.dtype).tiny)


def keep_largest(values: Tensor, sparsity: float) -> Tensor:
    """Mask of all but the `sparsity` smallest; exactly round(sparsity * n) are dropped."""
    dropped = round(sparsity * values.numel())
    mask = torch.ones(values.numel(), dtype=torch.bool, device=values.device)
    mask[values.flatten().argsort(stable=True)[:dropped]] = False
    return mask.view(values.shape)


def keep_largest_of_all(values: Tensors, sparsity: float) -> dict[str, Tensor]:
    """`keep_largest` over all tensors together."""
    mask = keep_largest(torch.cat([value.flatten() for value in values.values()]), sparsity)
    pieces = torch.split(mask, [value.numel() for value in values.values()])
    return {n: piece.view(v.shape) for (n, v), piece in zip(values.items(), pieces, strict=True)}


class FixedMask:
    """Keeps a mask as it is: fine-tuning after one-shot pruning, or of a pruned checkpoint."""

    def __init__(self, masks: Tensors) -> None:
        self._masks = dict(masks)

    def effective(self, tensors: Tensors, step: int) -> dict[str, Tensor]:
        return {n: t * self._masks[n] if n in self._masks else t for n, t in tensors.items()}

    def penalty(self, step: int) -> Tensor | None:
        return None

    def learn(self) -> None:
        pass

    def settled(self, step: int) -> bool:
        return True

    def finished(self, tensors: Tensors) -> dict[str, Tensor]:
        return {name: t.detach() for name, t in self.effective(tensors, 0).items()}

    def state(self) -> dict[str, Any]:
        return {"masks": self._masks}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._masks = dict(state["masks"])


class Gradual(FixedMask):
    """Masks the smallest weights, more of them every `every` steps up to step `until`."""

    def __init__(self, sparsity: float, scheme: Scheme, until: int, every: int = 20) -> None:
        super().__init__({})
        self._sparsity, self._scheme = sparsity, scheme
        self._until, self._every = until, every
        self._last = -1

    def effective(self, tensors: Tensors, step: int) -> dict[str, Tensor]:
        if step <= self._until and (step % self._every == 0 or step == self._until):
            self._masks = magnitude_masks(tensors, self._at(step), self._scheme)
        self._last = step
        return super().effective(tensors, step)

    def settled(self, step: int) -> bool:
        return step >= self._until

    def finished(self, tensors: Tensors) -> dict[str, Tensor]:
        """At the sparsity that was asked for, even if training ended before step `until`."""
        if self._last < self._until:
            self._masks = magnitude_masks(tensors, self._sparsity, self._scheme)
        return FixedMask(self._masks).finished(tensors)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "last": self._last}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._last = state["last"]

    def _at(self, step: int) -> float:
        return self._sparsity * (1 - (1 - step / self._until) ** 3)
