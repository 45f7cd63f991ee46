"""What a pruning method is to the training loop, and the one that prunes nothing."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

Tensors = Mapping[str, Tensor]


class Pruning(Protocol):
    """A rule that takes weights away while the rest is trained.

    Everything that it remembers is in its `state`, so that a run can go on after an interruption.
    """

    def effective(self, tensors: Tensors, step: int) -> dict[str, Tensor]:
        """The weights that step `step` computes with, differentiable in `tensors`."""
        ...

    def penalty(self, step: int) -> Tensor | None:
        """What is added to the loss, a scalar; None for nothing."""
        ...

    def learn(self) -> None:
        """Update what the method learns itself from its gradients; called after each backward."""
        ...

    def settled(self, step: int) -> bool:
        """Whether no mask changes any more: weights of such steps can be compared."""
        ...

    def finished(self, tensors: Tensors) -> dict[str, Tensor]:
        """The weights to keep, with exact zeros where they were pruned."""
        ...

    def state(self) -> dict[str, Any]:
        """Tensors and numbers to be saved."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        ...


class Dense:
    """Prunes nothing."""

    def effective(self, tensors: Tensors, step: int) -> dict[str, Tensor]:
        return dict(tensors)

    def penalty(self, step: int) -> Tensor | None:
        return None

    def learn(self) -> None:
        pass

    def settled(self, step: int) -> bool:
        return True

    def finished(self, tensors: Tensors) -> dict[str, Tensor]:
        return {name: tensor.detach() for name, tensor in tensors.items()}

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass


def prunable(tensors: Tensors) -> list[str]:
    """Names of the weights that are pruned: every matrix, as in the published models.

    Convolutions of an image encoder count as matrices [out, in * height * width].
    """
    return [name for name, tensor in tensors.items() if tensor.ndim in (2, 4)]
