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


def lstm_cell(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden and cell state after one step; gates [beams, 4 * width] in the order i, f, g, o.

    nn.LSTMCell is not used: torch.export keeps it as one opaque operator.
    """
    i, f, g, o = gates.chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c
