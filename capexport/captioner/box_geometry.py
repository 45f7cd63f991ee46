"""Boxes -> how every region lies to every other one (Herdade et al., NeurIPS 2019)."""

import torch
from torch import Tensor, nn

LEAST_OFFSET = 1e-3
LEAST_WEIGHT = 1e-6
FREQUENCIES = 8
LONGEST_WAVE = 1000.0
ANGLE_PER_UNIT = 100.0
NUMBERS = 4
"""Offsets and ratios along both axes."""
WAVES = 2 * FREQUENCIES * NUMBERS


class BoxGeometry(nn.Module):
    """Box [regions, 4] as x0 y0 x1 y1 relative to the image -> one bias for each layer.

    The bias [heads, regions, regions] is added to the attention logits. It depends on the boxes
    only, so all layers' come from one product. That is no linear layer, so recipes leave it float:
    its few thousand weights stand in front of a logarithm, where int8 costs more than anywhere.

    Args:
        weight: [layers * heads, WAVES], or [layers * heads, NUMBERS] for boxes without waves.
        bias: [layers * heads].
        layers: pieces that the result is split into.
    """

    frequencies: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, layers: int) -> None:
        super().__init__()
        self.layers, self.has_waves = layers, weight.shape[1] == WAVES
        self.register_buffer("frequencies", _frequencies())
        self.register_buffer("weight", weight.T.unsqueeze(0).contiguous())
        self.register_buffer("bias", bias)

    def forward(self, box: Tensor) -> tuple[Tensor, ...]:
        places = relative_places(box)
        if self.has_waves:
            # a product with mostly zeros, because it needs no reshape of two named axes
            angles = torch.matmul(places * ANGLE_PER_UNIT, self.frequencies)
            places = torch.cat([torch.sin(angles), torch.cos(angles)], -1)
        weights = torch.matmul(places, self.weight) + self.bias
        # the trainers' relu in front is part of the limit
        return torch.log(weights.clamp(min=LEAST_WEIGHT)).permute(2, 0, 1).chunk(self.layers, 0)


def relative_places(box: Tensor) -> Tensor:
    """[regions, regions, 4]: log offsets in x and y, log ratios of width and height.

    The trainers add 1 to widths and heights although these are shares of the image: it stays.
    """
    low, high = box.chunk(2, -1)
    centre, size = (low + high) * 0.5, high - low + 1
    offset = (centre.unsqueeze(1) - centre.unsqueeze(0)) / size.unsqueeze(1)
    ratio = size.unsqueeze(1) / size.unsqueeze(0)
    return torch.cat([torch.log(offset.abs().clamp(min=LEAST_OFFSET)), torch.log(ratio)], -1)


def _frequencies() -> Tensor:
    """[1, 4, 32]: each of the four numbers times its eight frequencies, grouped by number."""
    exponents = torch.arange(FREQUENCIES, dtype=torch.float32) / FREQUENCIES
    frequencies = 1 / LONGEST_WAVE**exponents
    return torch.kron(torch.eye(NUMBERS), frequencies).unsqueeze(0)
