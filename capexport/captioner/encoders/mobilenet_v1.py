"""MobileNet-V1 (Howard et al., 2017, arXiv 1704.04861), width 1.0: depthwise, pointwise, repeat."""

from torch import nn

from capexport.captioner.encoders.convolution import Layer, Take

BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *[(512, 1)] * 5,
    *((1024, 2), (1024, 1)),
)
"""Output channels and stride of each block; table 1 of the paper."""


def mobilenet_v1(take: Take) -> nn.Module:
    """Image [1, 3, H, W] -> [1, 1024, H / 32, W / 32] (Conv2d_13_pointwise)."""
    channels = 32
    layers = [take(Layer("conv0", 3, channels, kernel=3, stride=2, activation="relu6"))]
    for number, (outputs, stride) in enumerate(BLOCKS, 1):
        depthwise = Layer(
            f"depthwise{number}", channels, channels, None, 3, stride, channels, "relu6"
        )
        pointwise = Layer(f"pointwise{number}", channels, outputs, activation="relu6")
        layers += [take(depthwise), take(pointwise)]
        channels = outputs
    return nn.Sequential(*layers)
