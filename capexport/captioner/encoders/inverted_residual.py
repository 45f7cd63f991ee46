"""The block of MobileNet-V2, V3 and EfficientNet: widen, filter each channel, narrow, add."""

from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.encoders.convolution import Layer, Take


class SqueezeExcitation(nn.Module):
    """Channels scaled by what the whole image says of them (Hu et al., CVPR 2018), V3's variant."""

    def __init__(self, reduce: nn.Module, expand: nn.Module) -> None:
        super().__init__()
        self.reduce, self.expand = reduce, expand

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        return x * F.hardsigmoid(self.expand(self.reduce(mean)))


class Residual(nn.Module):
    """x + layers(x)."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.layers(x)
        return added


def inverted_residual(
    take: Take,
    names: tuple[tuple[str, str], ...],
    widths: tuple[int, int, int],
    *,
    kernel: int,
    stride: int,
    activation: str,
    squeeze: tuple[str, str, int] | None = None,
) -> nn.Module:
    """One block; Sandler et al., CVPR 2018, figure 4.

    Args:
        take: gives the layers their weights.
        names: (convolution, batch norm) of widening, depthwise and narrowing; widening is left out
            where it would not widen.
        widths: channels before, inside and after.
        squeeze: names of the two layers of a squeeze and excitation, and its width.
    """
    before, inside, after = widths
    *widening, depthwise, narrowing = names
    layers: list[nn.Module] = []
    for name, norm in widening:
        layers.append(take(Layer(name, before, inside, norm, activation=activation)))
    name, norm = depthwise
    layers.append(take(Layer(name, inside, inside, norm, kernel, stride, inside, activation)))
    if squeeze:
        first, second, width = squeeze
        reduce = take(Layer(first, inside, width, activation="relu"))
        layers.append(SqueezeExcitation(reduce, take(Layer(second, width, inside))))
    name, norm = narrowing
    layers.append(take(Layer(name, inside, after, norm)))
    block = nn.Sequential(*layers)
    return Residual(block) if stride == 1 and before == after else block
