"""Pieces that several captioners share, written so that their export is a handful of operators.

Weights are buffers, not parameters, and are kept as they were given: a captioner built from tensors
that require a gradient can be trained through (see `capexport.prune`).
"""

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
    i, f, o, first, second = gates.chunk(5, -1)
    if candidates is not None:
        of_first, of_second = candidates.chunk(2, -1)
        first, second = first + of_first, second + of_second
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.maximum(first, second)
    return torch.sigmoid(o) * torch.tanh(c), c


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
