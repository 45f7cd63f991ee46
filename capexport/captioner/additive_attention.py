"""Additive attention (Bahdanau, Cho and Bengio 2015) of hypotheses over an image's regions."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Linear
from capexport.captioner.region_embedding import Shapes, Weights


class AdditiveAttention(nn.Module):
    """h [beams, width], values [regions, any], keys [regions, attention] -> context [beams, any].

    The score is a weighted sum, not a linear layer: the result needs no squeeze, and the one row of
    alpha_net stays float. Its bias cancels in the softmax and is left out.
    """

    alpha: Tensor

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.h2att = Linear(
            weights["core.attention.h2att.weight"], weights["core.attention.h2att.bias"]
        )
        self.register_buffer("alpha", weights["core.attention.alpha_net.weight"][0].contiguous())

    def forward(self, h: Tensor, values: Tensor, keys: Tensor) -> Tensor:
        hidden = torch.tanh(keys + self.h2att(h).unsqueeze(1))  # [beams, regions, attention]
        scores = (hidden * self.alpha).sum(-1)
        return torch.matmul(F.softmax(scores, -1), values)


def additive_attention_shapes(width: int, attention: int) -> Shapes:
    """Tensors of an AdditiveAttention, by the trainers' names."""
    return {
        "core.attention.h2att.weight": (attention, width),
        "core.attention.h2att.bias": (attention,),
        "core.attention.alpha_net.weight": (1, attention),
        "core.attention.alpha_net.bias": (1,),
    }
