"""GoogLeNet, or Inception-V1 (Szegedy et al., CVPR 2015), with batch norm; torchvision's names.

As in torchvision and TensorFlow's slim, the third branch has 3x3 windows where the paper has 5x5.
"""

import torch
from torch import Tensor, nn

from capexport.captioner.encoders.convolution import Layer, Take

BLOCKS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Widths of the four branches (1; 2 reduced, 2; 3 reduced, 3; 4); table 1 of the paper."""
POOL_WINDOWS = {"4a": 3, "5a": 2}
"""Blocks that come behind a max pool, and its window."""


class Inception(nn.Module):
    """Four branches of one input, joined over channels."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def googlenet(take: Take) -> nn.Module:
    """Image [1, 3, H, W] -> [1, 1024, H / 32, W / 32] (inception5b; Mixed_5c in TensorFlow)."""
    layers: list[nn.Module] = [
        _convolution(take, "conv1", 3, 64, 7, 2),
        _max_pool(3, 2),
        _convolution(take, "conv2", 64, 64),
        _convolution(take, "conv3", 64, 192, 3),
        _max_pool(3, 2),
    ]
    channels = 192
    for block, widths in BLOCKS.items():
        if block in POOL_WINDOWS:
            layers.append(_max_pool(POOL_WINDOWS[block], 2))
        layers.append(_inception(take, f"inception{block}", channels, widths))
        first, _, second, _, third, fourth = widths
        channels = first + second + third + fourth
    return nn.Sequential(*layers)


def _inception(
    take: Take, name: str, inputs: int, widths: tuple[int, int, int, int, int, int]
) -> Inception:
    first, reduced2, second, reduced3, third, fourth = widths
    return Inception(
        _convolution(take, f"{name}.branch1", inputs, first),
        nn.Sequential(
            _convolution(take, f"{name}.branch2.0", inputs, reduced2),
            _convolution(take, f"{name}.branch2.1", reduced2, second, 3),
        ),
        nn.Sequential(
            _convolution(take, f"{name}.branch3.0", inputs, reduced3),
            _convolution(take, f"{name}.branch3.1", reduced3, third, 3),
        ),
        nn.Sequential(
            nn.MaxPool2d(3, 1, padding=1),
            _convolution(take, f"{name}.branch4.1", inputs, fourth),
        ),
    )


def _convolution(
    take: Take, name: str, inputs: int, outputs: int, kernel: int = 1, stride: int = 1
) -> nn.Module:
    return take(
        Layer(f"{name}.conv", inputs, outputs, f"{name}.bn", kernel, stride, activation="relu")
    )


def _max_pool(window: int, stride: int) -> nn.Module:
    return nn.MaxPool2d(window, stride, ceil_mode=True)
