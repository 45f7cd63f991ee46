"""Pieces that several captioners share, written so that their export is a handful of operators."""

import torch
from torch import Tensor, nn


def linear(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """nn.Linear around given weights: weight [out, in], bias [out]."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.contiguous(), requires_grad=False)
    return layer


def embedding(table: Tensor) -> nn.Embedding:
    """nn.Embedding around a given table [vocabulary, width]."""
    rows, width = table.shape
    layer = nn.Embedding(rows, width, device="meta")
    layer.weight = nn.Parameter(table.contiguous(), requires_grad=False)
    return layer


def lstm_cell(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden and cell state after one step; gates [beams, 4 * width] in the order i, f, g, o.

    nn.LSTMCell is not used: torch.export keeps it as one opaque operator.
    """
    i, f, g, o = gates.chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c
