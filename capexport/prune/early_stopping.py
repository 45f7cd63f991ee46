"""Held-out captions -> the epoch whose weights say them best, and when to stop looking for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from capexport.captioner import build_captioner, own_image_encoder
from capexport.captioner.encoders.image_encoder import ImageToFeatures
from capexport.checkpoint import Checkpoint
from capexport.prune.examples import Examples, shifted
from capexport.prune.forced import forced_log_probs
from capexport.prune.pictures import with_grids
from capexport.spec.signature import IMAGE


@dataclass
class BestEpoch:
    """The best weights so far, and for how many epochs nothing was better.

    Args:
        patience: epochs without a better loss before `is_over`; 0: never.
    """

    patience: int
    loss: float = float("inf")
    since: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return 0 < self.patience <= self.since

    def take(self, loss: float, tensors: Mapping[str, Tensor]) -> None:
        """Note an epoch's loss and weights."""
        if loss < self.loss:
            self.loss, self.since = loss, 0
            self.tensors = {name: t.detach().clone() for name, t in tensors.items()}
        else:
            self.since += 1

    def state(self) -> dict[str, Any]:
        return {"loss": self.loss, "since": self.since, "tensors": self.tensors}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.loss, self.since, self.tensors = state["loss"], state["since"], dict(state["tensors"])


@torch.no_grad()
def held_out_loss(checkpoint: Checkpoint, examples: Examples, batch: int) -> float:
    """Nats a word of the references, as the captioner says them when it is not trained.

    Args:
        checkpoint: on the device to compute on.
        batch: images at once.
    """
    captioner = build_captioner(checkpoint.without_image_encoder())
    device = next(iter(checkpoint.tensors.values())).device
    total, words = 0.0, 0.0
    for indices in torch.split(torch.arange(len(examples)), batch):
        inputs, tokens = examples.take(indices, 0, device)
        if checkpoint.image_encoder_weights:
            inputs = with_grids(_maps(checkpoint, inputs[IMAGE][:, 0]))
        read, wanted, counts = shifted(tokens, checkpoint.decoding.bos)
        log_probs = forced_log_probs(captioner, inputs, read)
        said = -log_probs.gather(-1, wanted[..., None])[..., 0]
        total += float((said * counts).sum())
        words += float(counts.sum())
    return total / words


def _maps(checkpoint: Checkpoint, pixels: Tensor) -> Tensor:
    """[images, rows, columns, channels], normalised by running statistics as in inference."""
    module = own_image_encoder(checkpoint).module.to(pixels.device)
    assert isinstance(module, ImageToFeatures)
    return module.maps(pixels)
