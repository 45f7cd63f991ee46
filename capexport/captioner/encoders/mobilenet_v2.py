"""MobileNet-V2 (Sandler et al., CVPR 2018, arXiv 1801.04381), width 1.0; torchvision's names."""

from torch import nn

from capexport.captioner.encoders.convolution import Layer, Take
from capexport.captioner.encoders.inverted_residual import inverted_residual

STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Widening factor, output channels, blocks, stride of the first; table 2 of the paper."""


def mobilenet_v2(take: Take) -> nn.Module:
    """Image [1, 3, H, W] -> [1, 1280, H / 32, W / 32] (the last convolution, before the pool)."""
    channels = 32
    stem = Layer("features.0.0", 3, channels, "features.0.1", 3, 2, activation="relu6")
    layers: list[nn.Module] = [take(stem)]
    for factor, outputs, blocks, first_stride in STAGES:
        for stride in (first_stride, *[1] * (blocks - 1)):
            layers.append(
                inverted_residual(
                    take,
                    _names(f"features.{len(layers)}.conv", widens=factor > 1),
                    (channels, factor * channels, outputs),
                    kernel=3,
                    stride=stride,
                    activation="relu6",
                )
            )
            channels = outputs
    last = f"features.{len(layers)}"
    layers.append(take(Layer(f"{last}.0", channels, 1280, f"{last}.1", activation="relu6")))
    return nn.Sequential(*layers)


def _names(block: str, *, widens: bool) -> tuple[tuple[str, str], ...]:
    """Convolution and batch norm of each layer; only the narrowing ones lie side by side."""
    inner = 2 if widens else 1
    nested = [(f"{block}.{i}.0", f"{block}.{i}.1") for i in range(inner)]
    return (*nested, (f"{block}.{inner}", f"{block}.{inner + 1}"))
