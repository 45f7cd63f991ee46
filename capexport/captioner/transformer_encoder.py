"""The image's side of a transformer captioner: region features into every layer's keys, values."""

from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.attention import ROLES, RegionAttention, split_heads, stacked
from capexport.captioner.blocks import Linear
from capexport.captioner.box_geometry import BoxGeometry
from capexport.captioner.folded_norm import Standardized, after_norm
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
        self.norm = Standardized(plan.width)
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
        norms = [below(weights, f"sublayer.{i}.norm") for i in range(2)]
        self.norm = Standardized(plan.width)
        self.attention = RegionAttention(
            norms[0], below(weights, "self_attn"), plan.heads, plan.share_encoder
        )
        self.feed = FeedForward(norms[1], below(weights, "feed_forward"))

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        x = x + self.attention(self.norm(x), bias)
        fed: Tensor = x + self.feed(self.norm(x))
        return fed


class FeedForward(nn.Module):
    """x [..., width], standardized -> the same shape, over `inner` numbers and a relu."""

    def __init__(self, norm: Weights, weights: Weights) -> None:
        super().__init__()
        self.inner = after_norm(norm, weights["w_1.weight"], weights["w_1.bias"])
        self.outer = Linear(weights["w_2.weight"], weights["w_2.bias"])

    def forward(self, x: Tensor) -> Tensor:
        fed: Tensor = self.outer(F.relu(self.inner(x)))
        return fed


class CrossMemory(nn.Module):
    """x [regions, width], standardized -> keys and values for each group of decoder layers.

    Their shapes are the plan's. They depend on the image only, so a step never projects them, and
    one linear makes them all.
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
        parts = [(one, number, 1.0) for one in attentions for number in self.numbers]
        self.project = stacked(below(weights, "encoder.norm"), parts)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        per_group = len(self.numbers)
        pieces = split_heads(self.project(x), self.heads, self.groups * per_group)
        return tuple(
            tensor
            for first in range(0, len(pieces), per_group)
            for tensor in (pieces[first + self.key].transpose(1, 2), pieces[first + self.value])
        )
