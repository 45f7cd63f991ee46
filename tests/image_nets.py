"""Small torch nets made of what image encoders are made of: uint8 [1, h, w, 3] -> [cells, c]."""

import torch
from torch import nn
from torch.nn import functional as F

from capexport.captioner.encoders import ImageEncoder
from capexport.capture import capture
from capexport.ir.graph import Graph
from capexport.ir.passes import run_passes
from capexport.spec.image import ImageSpec
from capexport.spec.signature import TensorSpec


def cells(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


class Residual(nn.Module):
    """MobileNet-V2 in small: padding before only, depthwise, a residual, a linear bottleneck."""

    def __init__(self, channels: int = 13) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2)
        self.expand = nn.Conv2d(8, 24, 1, bias=False)
        self.depthwise = nn.Conv2d(24, 24, 3, 1, 1, groups=24)
        self.project = nn.Conv2d(24, 8, 1)
        self.head = nn.Conv2d(8, channels, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = ((image.float() - 128) * (1 / 128)).permute(0, 3, 1, 2)
        x = F.relu6(self.stem(F.pad(x, (0, 1, 0, 1))))
        inner = F.hardtanh(self.depthwise(F.relu6(self.expand(x))), 0.0, 6.0)
        x = x + self.project(inner)
        return cells(F.relu6(self.head(x)))


class Branches(nn.Module):
    """Inception in small: normalised channels, pools of both kinds, a concatenation, groups."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]))
        self.register_buffer("scale", 1 / (255 * torch.tensor([0.229, 0.224, 0.225])))
        self.stem = nn.Conv2d(3, 8, 7, 2, 3)
        self.narrow = nn.Conv2d(8, 4, 1)
        self.wide = nn.Conv2d(8, 6, 3, padding=1, groups=2)
        self.pooled = nn.Conv2d(8, 3, 1)
        self.last = nn.Conv2d(13, 5, 3, padding="same")

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = image.float() * self.scale - self.mean * 4.4
        x = F.relu(self.stem(x.permute(0, 3, 1, 2)))
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        pooled = self.pooled(F.max_pool2d(x, 3, 1, 1))
        x = torch.cat([F.relu(self.narrow(x)), F.relu(self.wide(x)), F.relu(pooled)], 1)
        return cells(F.avg_pool2d(F.relu(self.last(x)), 2, 1))


class Squeezed(nn.Module):
    """MobileNet-V3 in small: hard-swish, squeeze and excitation, a residual with relu after it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.depthwise = nn.Conv2d(8, 8, 5, 1, 2, groups=8)
        self.reduce = nn.Conv2d(8, 4, 1)
        self.excite = nn.Conv2d(4, 8, 1)
        self.last = nn.Conv2d(8, 10, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = (image.float() * (1 / 127.5) - 1).permute(0, 3, 1, 2)
        x = F.hardswish(self.stem(x))
        y = F.relu(self.depthwise(x))
        scale = self.excite(F.relu(self.reduce(F.adaptive_avg_pool2d(y, 1))))
        x = F.relu(x + y * F.hardsigmoid(scale))
        return cells(F.hardswish(self.last(x)))


NETS = (Residual, Branches, Squeezed)
SIZES = ((16, 16), (17, 23), (31, 18))


def net(kind: type[nn.Module]) -> nn.Module:
    """With weights that keep values about as large from layer to layer."""
    torch.manual_seed(0)
    module = kind().eval()
    for name, parameter in module.named_parameters():
        fan_in = parameter[0].numel() if name.endswith("weight") else 100
        nn.init.normal_(parameter, 0, (2 / fan_in) ** 0.5)
    return module


def images(count: int, size: tuple[int, int]) -> list[torch.Tensor]:
    """Smooth noise, so that neighbours are alike as in a photograph."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, 3, 4, 4, generator=generator) * 255
    smooth = F.interpolate(coarse, size, mode="bilinear").permute(0, 2, 3, 1)
    return list(smooth.round().to(torch.uint8).split(1))


def captured(module: nn.Module, size: tuple[int, int]) -> Graph:
    with torch.no_grad():
        features = module(images(1, size)[0])
    image = TensorSpec("image", (1, *size, 3), "uint8")
    return capture(module, "encoder", [image], [TensorSpec("features", tuple(features.shape))])


def float_graph(kind: type[nn.Module], size: tuple[int, int] = (17, 23)) -> Graph:
    return run_passes(captured(net(kind), size))


SMALL_IMAGE = ImageSpec(17, 23, 23)


class Encoder(nn.Module):
    """An image encoder as `capexport.captioner.encoders` builds them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = Residual(channels)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor]:
        return (self.body(image),)


def small_image_encoder(channels: int = 24) -> ImageEncoder:
    """88 cells of as many features as the smallest generated checkpoint takes."""
    module = Encoder(channels).eval()
    return ImageEncoder("small", module, SMALL_IMAGE, (8, 11), channels, "small.pth", 1, "ab")
