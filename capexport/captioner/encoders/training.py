"""An image encoder as it is trained: many images at once, normalised by their own statistics.

The layers are those of the exported encoder, asked for by the same function of the architecture;
only what they are made of differs.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.encoders.convolution import ACTIVATIONS, Convolution, Layer
from capexport.captioner.encoders.image_encoder import ImageToFeatures, cell_places
from capexport.captioner.encoders.sources import StateDictionary
from capexport.captioner.encoders.table import ENCODERS

MOMENTUM = 0.1
"""Share of a batch in the running statistics; nn.BatchNorm2d's default."""


def batch_features(name: str, weights: Mapping[str, Tensor], pixels: Tensor) -> Tensor:
    """Features of a batch, differentiable in the weights.

    Args:
        name: an encoder of the table with a state dictionary.
        weights: that dictionary; its running statistics are brought up to date in place.
        pixels: uint8 [images, height, width, 3].

    Returns:
        float32 [images, rows, columns, channels].
    """
    encoder = ENCODERS[name]
    source = _Batch(weights, "training", eps=encoder.eps, same=encoder.same)
    body = encoder.build(source.take)
    features = ImageToFeatures(body, encoder.preprocessing, encoder.channels).maps(pixels)
    if not encoder.placed:
        return features
    images, rows, columns, _ = features.shape
    places = cell_places(rows, columns).to(features.device)
    return torch.cat([features, places.expand(images, -1, -1, -1)], -1)


class _Batch(StateDictionary):
    """Layers with batch norm by the batch's mean and variance."""

    def _normed(
        self,
        layer: Layer,
        weight: Tensor,
        gamma: Tensor,
        beta: Tensor,
        mean: Tensor,
        variance: Tensor,
    ) -> nn.Module:
        plain = Convolution(layer, weight, torch.zeros_like(beta), same=self._same)
        return _BatchNormed(plain, (mean, variance, gamma, beta), self._eps)


class _BatchNormed(nn.Module):
    """A convolution, batch norm as training does it, and the activation."""

    def __init__(
        self, plain: Convolution, norm: tuple[Tensor, Tensor, Tensor, Tensor], eps: float
    ) -> None:
        super().__init__()
        self.plain, self.norm, self.eps = plain, norm, eps

    def forward(self, x: Tensor) -> Tensor:
        mean, variance, gamma, beta = self.norm
        x = F.batch_norm(self.plain.sums(x), mean, variance, gamma, beta, True, MOMENTUM, self.eps)
        return ACTIVATIONS[self.plain.activation](x)
