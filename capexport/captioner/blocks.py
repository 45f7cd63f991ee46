"""Pieces that several captioners share, written so that their export is a handful of operators.

Weights are buffers, not parameters, and are kept as they were given: a captioner built from tensors
that require a gradient can be trained through (see `capexport.prune`).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Linear(nn.Module):
    """x [..., in] -> [..., out] with a given weight [out, in] and, unless None, bias [out]."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("weight", weight.contiguous())
        self.register_buffer("bias", None if bias is None else bias.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


class Embedding(nn.Module):
    """ids [...] -> [..., width] by a given table [vocabulary, width]."""

    weight: Tensor

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", table.contiguous())

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight)


class Dropout(nn.Module):
    """nn.Dropout that leaves no operator in an exported graph; `p` is the trainer's to set."""

    p = 0.0

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p) if self.training and self.p else x


def maxout_cell(
    gates: Tensor, c: Tensor, candidates: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Hidden and cell state of ImageCaptioning.pytorch's cell with a maximum of two candidates.

    Args:
        gates: [beams, 5 * width] in the order input, forget, output, first and second candidate.
        c: the cell before, [beams, width].
        candidates: [beams, 2 * width], added to both candidates; neither gets a tanh.
    """
    three = 3 * c.shape[-1]  # XNNPACK has no split in five
    i, f, o = torch.sigmoid(gates[:, :three]).chunk(3, -1)
    both = gates[:, three:] if candidates is None else gates[:, three:] + candidates
    first, second = both.chunk(2, -1)
    c = f * c + i * torch.maximum(first, second)
    return o * torch.tanh(c), c


def glu(x: Tensor) -> Tensor:
    """Gated linear unit: the first half of the last axis times the sigmoid of the second."""
    value, gate = x.chunk(2, -1)
    return value * torch.sigmoid(gate)


def lstm_cell(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden and cell state after one step; gates [beams, 4 * width] in the order i, f, g, o.

    nn.LSTMCell is not used: torch.export keeps it as one opaque operator.
    """
    i, f, g, o = gates.chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


class UnbiasedNorm(nn.Module):
    """Layer norm as the transformer captioners have it: x [..., width] -> the same shape.

    scale * (x - mean) / (std + epsilon) + bias, std with width - 1, epsilon outside the root (The
    Annotated Transformer, Rush 2018). nn.LayerNorm is another function.
    """

    scale: Tensor
    bias: Tensor

    EPSILON = 1e-6

    def __init__(self, scale: Tensor, bias: Tensor) -> None:
        super().__init__()
        width = scale.numel()
        # std = unbias * sqrt(mean of squares): its factor goes to what is constant anyway
        unbias = math.sqrt(width / max(width - 1, 1))
        self.register_buffer("scale", (scale / unbias).contiguous())
        self.register_buffer("bias", bias.contiguous())
        self.epsilon = self.EPSILON / unbias

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        deviation = torch.sqrt((centred * centred).mean(-1, keepdim=True)) + self.epsilon
        return centred / deviation * self.scale + self.bias
