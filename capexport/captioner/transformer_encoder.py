"""The image's side of a transformer captioner: region features into every layer's keys, values."""

from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.attention import ROLES, RegionAttention, split_heads, stacked
from capexport.captioner.blocks import Linear, UnbiasedNorm
from capexport.captioner.box_geometry import BoxGeometry
from capexport.captioner.transformer_plan import TransformerPlan, Weights, below, group_sizes


class TransformerEncoder(nn.Module):
    """att [regions, features], box [regions, 4] if it has a geometry -> memory of the plan.

    Args:
        embed: att [regions, features] -> [regions, width].
        weights: below the trainers' `model.`.
        geometry: gives one bias of the attention for each group of layers, or None.
    """

    def __init__(
        self,
        embed: nn.Module,
        weights: Weights,
        plan: TransformerPlan,
        geometry: BoxGeometry | None,
    ) -> None:
        super().__init__()
        groups = list(group_sizes(plan.encoder))
        self.embed, self.geometry = embed, geometry
        self.order = [groups.index(group) for group in plan.encoder]
        self.layers = nn.ModuleList(
            [
                EncoderLayer(below(weights, f"encoder.layers.{plan.encoder.index(group)}"), plan)
                for group in groups
            ]
        )
        self.norm = norm(below(weights, "encoder.norm"))
        self.memory = CrossMemory(weights, plan)

    def forward(self, att: Tensor, box: Tensor | None = None) -> tuple[Tensor, ...]:
        biases = [None] * len(self.layers) if self.geometry is None else self.geometry(box)
        x = self.embed(att)
        for number in self.order:
            x = self.layers[number](x, biases[number])
        memory: tuple[Tensor, ...] = self.memory(self.norm(x))
        return memory


class EncoderLayer(nn.Module):
    """x [regions, width] -> the same: attention and two linears, each added to what it reads."""

    def __init__(self, weights: Weights, plan: TransformerPlan) -> None:
        super().__init__()
        self.attention_norm = norm(below(weights, "sublayer.0.norm"))
        self.attention = RegionAttention(
            below(weights, "self_attn"), plan.heads, plan.share_encoder
        )
        self.feed_norm = norm(below(weights, "sublayer.1.norm"))
        self.feed = FeedForward(below(weights, "feed_forward"))

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        x = x + self.attention(self.attention_norm(x), bias)
        fed: Tensor = x + self.feed(self.feed_norm(x))
        return fed


class FeedForward(nn.Module):
    """x [..., width] -> the same, over `inner` numbers and a relu."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.inner, self.outer = (
            Linear(weights[f"{name}.weight"], weights[f"{name}.bias"]) for name in ("w_1", "w_2")
        )

    def forward(self, x: Tensor) -> Tensor:
        fed: Tensor = self.outer(F.relu(self.inner(x)))
        return fed


class CrossMemory(nn.Module):
    """x [regions, width] -> for each group of decoder layers keys and values, in the plan's shapes.

    They depend on the image only, so a step never projects them; one linear makes them all.
    """

    def __init__(self, weights: Weights, plan: TransformerPlan) -> None:
        super().__init__()
        _, key, value = ROLES[plan.share_decoder]
        self.numbers = sorted({key, value})
        self.key, self.value = self.numbers.index(key), self.numbers.index(value)
        self.heads, self.groups = plan.heads, len(group_sizes(plan.decoder))
        attentions = [
            below(weights, f"decoder.layers.{plan.decoder.index(group)}.src_attn")
            for group in group_sizes(plan.decoder)
        ]
        self.project = stacked((one, number, 1.0) for one in attentions for number in self.numbers)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        per_group = len(self.numbers)
        pieces = split_heads(self.project(x), self.heads, self.groups * per_group)
        return tuple(
            tensor
            for first in range(0, len(pieces), per_group)
            for tensor in (pieces[first + self.key].transpose(1, 2), pieces[first + self.value])
        )


def norm(weights: Weights) -> UnbiasedNorm:
    """The norm of a layer from the trainers' a_2 and b_2."""
    return UnbiasedNorm(weights["a_2"], weights["b_2"])
