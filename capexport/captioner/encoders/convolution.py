"""Convolution with padding, folded batch norm and activation: the layer encoders are made of."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ACTIVATIONS: dict[str | None, Callable[[Tensor], Tensor]] = {
    None: lambda x: x,
    "relu": F.relu,
    "relu6": F.relu6,
    "hardswish": F.hardswish,
}


@dataclass(frozen=True)
class Layer:
    """What an architecture says of one convolution; weights come from a file.

    Args:
        name: in the state dictionary.
        inputs, outputs: channels.
        norm: name of the batch norm behind it; None when it has a bias of its own.
        kernel: length of both sides of the window.
        stride: of both axes.
        groups: 1, or `inputs` for a depthwise convolution.
        activation: a key of ACTIVATIONS.
    """

    name: str
    inputs: int
    outputs: int
    norm: str | None = None
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    activation: str | None = None

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        return (self.outputs, self.inputs // self.groups, self.kernel, self.kernel)


class Convolution(nn.Module):
    """NCHW float32 -> NCHW float32.

    Args:
        layer: kernel, stride, groups and activation.
        weight: [outputs, inputs / groups, kernel, kernel].
        bias: [outputs].
        same: pad as TensorFlow's SAME does; otherwise (kernel - 1) / 2 on every side.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, layer: Layer, weight: Tensor, bias: Tensor, *, same: bool) -> None:
        super().__init__()
        self.name = layer.name
        self.register_buffer("weight", weight.contiguous())
        self.register_buffer("bias", bias.contiguous())
        self.kernel, self.stride, self.groups = layer.kernel, layer.stride, layer.groups
        self.activation, self.same = layer.activation, same

    def forward(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.activation](self.sums(x))

    def sums(self, x: Tensor) -> Tensor:
        """What the activation is applied to."""
        top, bottom = self._padding(x.shape[2])
        left, right = self._padding(x.shape[3])
        margin = (top, left)
        if margin != (bottom, right):  # torch's own padding is alike on both sides
            x, margin = F.pad(x, (left, right, top, bottom)), (0, 0)
        return F.conv2d(x, self.weight, self.bias, self.stride, margin, groups=self.groups)

    def _padding(self, length: int) -> tuple[int, int]:
        if self.same:
            return same_padding(length, self.kernel, self.stride)
        return (self.kernel - 1) // 2, (self.kernel - 1) // 2


Take = Callable[[Layer], nn.Module]
"""How an architecture gets its layers, in the order in which they run."""


def same_padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, so that ceil(length / stride) windows fit (TensorFlow's SAME).

    At stride 2 the sides differ: torchvision's equal sides cost a TensorFlow model 7 to 11 points
    of ImageNet accuracy without any error.
    """
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def fold_batch_norm(
    weight: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, *, eps: float
) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that equals convolution and batch norm (inference).

    gamma * (conv(x) - mean) / sqrt(variance + eps) + beta, computed in float64.
    """
    gain = gamma.double() / torch.sqrt(variance.double() + eps)
    folded = weight.double() * gain[:, None, None, None]
    return folded.float(), (beta.double() - mean.double() * gain).float()
