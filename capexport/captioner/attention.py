"""Multi-head attention (Vaswani et al., 2017), and which of its projections are shared (ACORT)."""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Linear
from capexport.captioner.folded_norm import after_norm

Weights = Mapping[str, Tensor]

ROLES: Mapping[str | None, tuple[int, int, int]] = {
    None: (0, 1, 2),
    "kv": (0, 1, 1),
    "qk": (0, 0, 1),
}
"""Which entry of a layer's `linears` projects query, key and value, by what the layer shares. The
entry after them projects the result."""


def entries(share: str | None) -> int:
    """Length of `linears`."""
    return max(ROLES[share]) + 2


def stacked(norm: Weights, parts: Iterable[tuple[Weights, int, float]]) -> Linear:
    """Entries of `linears` that read a norm, each times a factor, as one layer, in this order."""
    rows = [
        (weights[f"linears.{number}.weight"] * factor, weights[f"linears.{number}.bias"] * factor)
        for weights, number, factor in parts
    ]
    weight, bias = (torch.cat(list(part)) for part in zip(*rows, strict=True))
    return after_norm(norm, weight, bias)


def query_key_value(norm: Weights, weights: Weights, heads: int, share: str | None) -> Linear:
    """The projections of self-attention, each stored once; the scores' factor is in them."""
    query, key, _ = ROLES[share]
    scale = _score_factor(weights, heads)
    numbers = sorted(set(ROLES[share]))
    factor = scale if query != key else scale**0.5  # it is multiplied with itself
    return stacked(norm, ((weights, i, factor if i == query else 1.0) for i in numbers))


def query_alone(norm: Weights, weights: Weights, heads: int, share: str | None) -> Linear:
    """The projection of the query of cross-attention, with the scores' factor."""
    return stacked(norm, [(weights, ROLES[share][0], _score_factor(weights, heads))])


def result(weights: Weights, share: str | None) -> Linear:
    """The projection after attention."""
    name = f"linears.{entries(share) - 1}"
    return Linear(weights[f"{name}.weight"], weights[f"{name}.bias"])


def _score_factor(weights: Weights, heads: int) -> float:
    return 1 / math.sqrt(weights["linears.0.weight"].shape[0] // heads)


class RegionAttention(nn.Module):
    """Every region looks at all of them: x [regions, width], standardized -> the same shape."""

    def __init__(self, norm: Weights, weights: Weights, heads: int, share: str | None) -> None:
        super().__init__()
        self.project = query_key_value(norm, weights, heads, share)
        self.result = result(weights, share)
        self.heads, self.roles = heads, ROLES[share]

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """`bias` [heads, regions, regions] is added to the scores."""
        pieces = split_heads(self.project(x), self.heads, max(self.roles) + 1)
        query, key, value = (pieces[role] for role in self.roles)
        scores = torch.matmul(query, key.transpose(1, 2))
        scores = scores if bias is None else scores + bias
        seen = torch.matmul(F.softmax(scores, -1), value)  # [heads, regions, width / heads]
        attended: Tensor = self.result(seen.transpose(0, 1).flatten(1))
        return attended


def split_heads(x: Tensor, heads: int, parts: int) -> tuple[Tensor, ...]:
    """[regions, parts * width] -> so many [heads, regions, width / heads]."""
    width = x.shape[1] // (parts * heads)
    return x.view(-1, parts * heads, width).transpose(0, 1).chunk(parts, 0)
