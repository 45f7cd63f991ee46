"""ResNet-50 and ResNet-101 (He et al., CVPR 2016), torchvision's variant: stride in the 3x3."""

from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.encoders.convolution import Layer, Take

WIDTHS = (64, 128, 256, 512)
EXPANSION = 4


class Bottleneck(nn.Module):
    """relu(layers(x) + shortcut(x)); the shortcut is x itself where it has no convolution."""

    def __init__(self, layers: nn.Module, shortcut: nn.Module | None) -> None:
        super().__init__()
        self.layers = layers
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.layers(x) + self.shortcut(x))


def resnet50(take: Take) -> nn.Module:
    """Image [1, 3, H, W] -> [1, 2048, H / 32, W / 32]."""
    return _resnet(take, (3, 4, 6, 3))


def resnet101(take: Take) -> nn.Module:
    """Image [1, 3, H, W] -> [1, 2048, H / 32, W / 32]."""
    return _resnet(take, (3, 4, 23, 3))


def _resnet(take: Take, depths: tuple[int, int, int, int]) -> nn.Module:
    channels = 64
    layers: list[nn.Module] = [
        take(Layer("conv1", 3, channels, "bn1", 7, 2, activation="relu")),
        nn.MaxPool2d(3, 2, padding=1),
    ]
    for stage, (width, depth) in enumerate(zip(WIDTHS, depths, strict=True), 1):
        for number in range(depth):
            stride = 2 if stage > 1 and number == 0 else 1
            layers.append(_bottleneck(take, f"layer{stage}.{number}", channels, width, stride))
            channels = EXPANSION * width
    return nn.Sequential(*layers)


def _bottleneck(take: Take, name: str, inputs: int, width: int, stride: int) -> Bottleneck:
    outputs = EXPANSION * width
    layers = nn.Sequential(
        take(Layer(f"{name}.conv1", inputs, width, f"{name}.bn1", activation="relu")),
        take(Layer(f"{name}.conv2", width, width, f"{name}.bn2", 3, stride, activation="relu")),
        take(Layer(f"{name}.conv3", width, outputs, f"{name}.bn3")),
    )
    if stride == 1 and inputs == outputs:
        return Bottleneck(layers, None)
    shortcut = Layer(f"{name}.downsample.0", inputs, outputs, f"{name}.downsample.1", stride=stride)
    return Bottleneck(layers, take(shortcut))
