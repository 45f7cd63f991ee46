"""EfficientNet-Lite0: EfficientNet-B0 (Tan and Le, ICML 2019) without squeeze, ReLU6; timm's names.

The published description is the `lite` folder of TensorFlow's tpu/models/official/efficientnet.
"""

from torch import nn

from capexport.captioner.encoders.convolution import Layer, Take
from capexport.captioner.encoders.inverted_residual import inverted_residual

STAGES = (
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)
"""Widening factor, output channels, blocks, kernel, stride of the first block."""
SEPARABLE = (("conv_dw", "bn1"), ("conv_pw", "bn2"))
WIDENING = (("conv_pw", "bn1"), ("conv_dw", "bn2"), ("conv_pwl", "bn3"))


def efficientnet_lite0(take: Take) -> nn.Module:
    """Image [1, 3, H, W] -> [1, 1280, H / 32, W / 32]."""
    channels = 32
    layers: list[nn.Module] = [
        take(Layer("conv_stem", 3, channels, "bn1", 3, 2, activation="relu6"))
    ]
    for stage, (factor, outputs, blocks, kernel, first_stride) in enumerate(STAGES):
        for number in range(blocks):
            block = f"blocks.{stage}.{number}"
            names = SEPARABLE if factor == 1 else WIDENING
            layers.append(
                inverted_residual(
                    take,
                    tuple((f"{block}.{name}", f"{block}.{norm}") for name, norm in names),
                    (channels, factor * channels, outputs),
                    kernel=kernel,
                    stride=1 if number else first_stride,
                    activation="relu6",
                )
            )
            channels = outputs
    layers.append(take(Layer("conv_head", channels, 1280, "bn2", activation="relu6")))
    return nn.Sequential(*layers)
