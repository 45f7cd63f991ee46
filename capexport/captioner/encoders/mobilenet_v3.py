"""MobileNet-V3 (Howard et al., ICCV 2019, arXiv 1905.02244), width 1.0; torchvision's names."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from capexport.captioner.encoders.convolution import Layer, Take
from capexport.captioner.encoders.inverted_residual import inverted_residual

RE, HS = "relu", "hardswish"


class Block(NamedTuple):
    """A row of tables 1 and 2 of the paper; `inside` and `outputs` are channels."""

    kernel: int
    inside: int
    outputs: int
    squeezes: bool
    activation: str
    stride: int


LARGE = (
    Block(3, 16, 16, False, RE, 1),
    Block(3, 64, 24, False, RE, 2),
    Block(3, 72, 24, False, RE, 1),
    Block(5, 72, 40, True, RE, 2),
    *[Block(5, 120, 40, True, RE, 1)] * 2,
    Block(3, 240, 80, False, HS, 2),
    Block(3, 200, 80, False, HS, 1),
    *[Block(3, 184, 80, False, HS, 1)] * 2,
    Block(3, 480, 112, True, HS, 1),
    Block(3, 672, 112, True, HS, 1),
    Block(5, 672, 160, True, HS, 2),
    *[Block(5, 960, 160, True, HS, 1)] * 2,
)
SMALL = (
    Block(3, 16, 16, True, RE, 2),
    Block(3, 72, 24, False, RE, 2),
    Block(3, 88, 24, False, RE, 1),
    Block(5, 96, 40, True, HS, 2),
    *[Block(5, 240, 40, True, HS, 1)] * 2,
    Block(5, 120, 48, True, HS, 1),
    Block(5, 144, 48, True, HS, 1),
    Block(5, 288, 96, True, HS, 2),
    *[Block(5, 576, 96, True, HS, 1)] * 2,
)


def mobilenet_v3_large(take: Take) -> nn.Module:
    """Image [1, 3, H, W] -> [1, 960, H / 32, W / 32]."""
    return _mobilenet_v3(take, LARGE)


def mobilenet_v3_small(take: Take) -> nn.Module:
    """Image [1, 3, H, W] -> [1, 576, H / 32, W / 32]."""
    return _mobilenet_v3(take, SMALL)


def _mobilenet_v3(take: Take, blocks: Sequence[Block]) -> nn.Module:
    channels = 16
    stem = Layer("features.0.0", 3, channels, "features.0.1", 3, 2, activation=HS)
    layers: list[nn.Module] = [take(stem)]
    for block in blocks:
        layers.append(_block(take, f"features.{len(layers)}.block", channels, block))
        channels = block.outputs
    last = f"features.{len(layers)}"
    layers.append(take(Layer(f"{last}.0", channels, 6 * channels, f"{last}.1", activation=HS)))
    return nn.Sequential(*layers)


def _block(take: Take, name: str, channels: int, block: Block) -> nn.Module:
    depthwise = 1 if block.inside != channels else 0
    squeeze = depthwise + 1
    narrowing = squeeze + block.squeezes
    places = (*range(depthwise + 1), narrowing)
    return inverted_residual(
        take,
        tuple((f"{name}.{i}.0", f"{name}.{i}.1") for i in places),
        (channels, block.inside, block.outputs),
        kernel=block.kernel,
        stride=block.stride,
        activation=block.activation,
        squeeze=(f"{name}.{squeeze}.fc1", f"{name}.{squeeze}.fc2", _squeezed(block.inside))
        if block.squeezes
        else None,
    )


def _squeezed(width: int) -> int:
    """A quarter of the channels, rounded to a multiple of 8, never down by more than a tenth."""
    quarter = width // 4
    rounded = max(8, (quarter + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * quarter else rounded
