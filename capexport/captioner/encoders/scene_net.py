"""SceneNet: four strided convolutions, small enough to be trained on a CPU with its captioner."""

from torch import nn

from capexport.captioner.encoders.convolution import Layer, Take

WIDTHS = (16, 32, 64, 96)
"""Output channels of each layer; each halves both sides of the image."""


def scene_net(take: Take) -> nn.Module:
    """Image [1, 3, H, W] -> [1, 96, H / 16, W / 16]; 79,000 weights."""
    layers = []
    for number, (inputs, outputs) in enumerate(zip((3, *WIDTHS), WIDTHS, strict=False)):
        name = f"layers.{number}"
        layer = Layer(f"{name}.conv", inputs, outputs, f"{name}.norm", 3, 2, activation="relu6")
        layers.append(take(layer))
    return nn.Sequential(*layers)
