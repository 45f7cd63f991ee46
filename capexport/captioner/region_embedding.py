"""Region features into the values that attention mixes: linear, ReLU, and BatchNorm around them.

`use_bn` 1 puts a BatchNorm in front, 2 another one behind the ReLU (ImageCaptioning.pytorch).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Dropout, Linear
from capexport.captioner.options import Config, choice, size

Weights = Mapping[str, Tensor]
Shapes = dict[str, tuple[int, ...]]

BATCH_NORM_EPSILON = 1e-5
"""nn.BatchNorm1d's default, which the trainers leave alone."""
FRONT, BEHIND = "att_embed.0", "att_embed.4"


class RegionEmbedding(nn.Module):
    """att [regions, features] -> values [regions, width].

    The BatchNorm in front is folded into the linear layer: two thousand features cost nothing more.
    The one behind is computed: one multiplication and one addition for each value of an image, so
    that no architecture has to fold it into whatever reads the values.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, weights: Weights, config: Config) -> None:
        super().__init__()
        use_bn = _use_bn(config)
        name = _linear_name(use_bn)
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        if use_bn:
            scale, shift = _batch_norm(weights, FRONT)
            bias = (bias + weight.double() @ shift).float()
            weight = (weight * scale).float()
        self.linear = Linear(weight, bias)
        self.drop = Dropout()
        self._is_normalised = use_bn == 2
        if self._is_normalised:
            scale, shift = _batch_norm(weights, BEHIND)
            self.register_buffer("scale", scale.float())
            self.register_buffer("shift", shift.float())

    def forward(self, att: Tensor) -> Tensor:
        values: Tensor = self.drop(F.relu(self.linear(att)))
        return values * self.scale + self.shift if self._is_normalised else values


def _use_bn(config: Config) -> int:
    supported: int = choice(config, "use_bn", (0, 1, 2), 0)
    return supported


def _linear_name(use_bn: int) -> str:
    return "att_embed.1" if use_bn else "att_embed.0"


def _batch_norm(weights: Weights, name: str) -> tuple[Tensor, Tensor]:
    """The running statistics as y = x * scale + shift, in double precision."""
    mean, variance = (weights[f"{name}.running_{part}"].double() for part in ("mean", "var"))
    scale = weights[f"{name}.weight"] / torch.sqrt(variance + BATCH_NORM_EPSILON)
    return scale, weights[f"{name}.bias"] - mean * scale


def region_embedding_shapes(config: Config, width: int) -> Shapes:
    """Tensors of a RegionEmbedding of `width` numbers a region, by the trainers' names."""
    features, use_bn = size(config, "att_feat_size"), _use_bn(config)
    name = _linear_name(use_bn)
    shapes: Shapes = {f"{name}.weight": (width, features), f"{name}.bias": (width,)}
    for norm, channels in ((FRONT, features), (BEHIND, width))[:use_bn]:
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{norm}.{part}"] = (channels,)
    return shapes
