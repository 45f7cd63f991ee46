"""Additive attention (Bahdanau, Cho and Bengio 2015) of hypotheses over an image's regions."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Linear
from capexport.captioner.region_embedding import Shapes, Weights

NAME = "core.attention"


class AdditiveAttention(nn.Module):
    """h [beams, width], values [regions, any], keys [regions, attention] -> context [beams, any].

    The score is a weighted sum, not a linear layer: the result needs no squeeze, and the one row of
    weights stays float. A bias of the score would cancel in the softmax.

    Args:
        query: the projection of h.
        score: weight of each of its outputs, [attention].
    """

    score: Tensor

    def __init__(self, query: Linear, score: Tensor) -> None:
        super().__init__()
        self.query = query
        self.register_buffer("score", score.contiguous())

    def forward(self, h: Tensor, values: Tensor, keys: Tensor) -> Tensor:
        hidden = torch.tanh(keys + self.query(h).unsqueeze(1))  # [beams, regions, attention]
        return torch.matmul(F.softmax((hidden * self.score).sum(-1), -1), values)


def additive_attention(weights: Weights) -> AdditiveAttention:
    """The one of the lineages that call it `core.attention`; alpha_net's bias is left out."""
    query = Linear(weights[f"{NAME}.h2att.weight"], weights[f"{NAME}.h2att.bias"])
    return AdditiveAttention(query, weights[f"{NAME}.alpha_net.weight"][0])


def additive_attention_shapes(width: int, attention: int) -> Shapes:
    """Tensors that `additive_attention` needs, and the bias, by the trainers' names."""
    return {
        f"{NAME}.h2att.weight": (attention, width),
        f"{NAME}.h2att.bias": (attention,),
        f"{NAME}.alpha_net.weight": (1, attention),
        f"{NAME}.alpha_net.bias": (1,),
    }
