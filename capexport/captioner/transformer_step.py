"""The words' side of a transformer captioner: one word of every beam through the decoder layers."""

import math

from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Embedding, Linear
from capexport.captioner.transformer_encoder import FeedForward, norm
from capexport.captioner.transformer_plan import TransformerPlan, Weights, below, group_sizes
from capexport.captioner.word_attention import (
    CrossAttention,
    History,
    UnwrittenRows,
    WordAttention,
)


class TransformerStep(nn.Module):
    """token, position [beams], the plan's caches, the plan's memory ->

    log_probs [beams, vocabulary], next rows of the caches

    Args:
        weights: below the trainers' `model.`.
    """

    def __init__(self, weights: Weights, plan: TransformerPlan) -> None:
        super().__init__()
        groups = group_sizes(plan.decoder)
        self.heads, self.caches = plan.heads, len(plan.caches)
        self.order = [list(groups).index(group) for group in plan.decoder]
        self.words = Embedding(weights["tgt_embed.0.lut.weight"] * math.sqrt(plan.width))
        self.places = Embedding(weights["tgt_embed.1.pe"][0, : plan.steps])
        self.rows = list(groups.values())
        self.unwritten = nn.ModuleDict(
            {str(rows): UnwrittenRows(plan.steps, rows) for rows in self.rows}
        )
        self.layers = nn.ModuleList(
            [
                DecoderLayer(below(weights, f"decoder.layers.{plan.decoder.index(group)}"), plan)
                for group in groups
            ]
        )
        self.norm = norm(below(weights, "decoder.norm"))
        self.scores = Linear(weights["generator.proj.weight"], weights["generator.proj.bias"])

    def forward(self, token: Tensor, position: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        histories = self._histories(position, tensors[: self.caches])
        memory = tensors[self.caches :]
        x = self.words(token) + self.places(position)
        for number in self.order:
            keys, values = memory[2 * number : 2 * number + 2]
            x = self.layers[number](x, histories[number], keys, values)
        log_probs = F.log_softmax(self.scores(self.norm(x)), -1)
        return log_probs, *(rows for history in histories for rows in history.next_rows())

    def _histories(self, position: Tensor, caches: tuple[Tensor, ...]) -> list[History]:
        """One for each group of layers; layers of one group read and write the same."""
        each = len(caches) // len(self.layers)
        hidden = {rows: unwritten(position) for rows, unwritten in self.unwritten.items()}
        return [
            History(caches[each * i : each * (i + 1)], hidden[str(rows)], self.heads)
            for i, rows in enumerate(self.rows)
        ]


class DecoderLayer(nn.Module):
    """x [beams, width] -> the same: the words before, the image, two linears, each added."""

    def __init__(self, weights: Weights, plan: TransformerPlan) -> None:
        super().__init__()
        heads, share = plan.heads, plan.share_decoder
        self.word_norm = norm(below(weights, "sublayer.0.norm"))
        self.words = WordAttention(below(weights, "self_attn"), heads, share)
        self.cross_norm = norm(below(weights, "sublayer.1.norm"))
        self.cross = CrossAttention(below(weights, "src_attn"), heads, share)
        self.feed_norm = norm(below(weights, "sublayer.2.norm"))
        self.feed = FeedForward(below(weights, "feed_forward"))

    def forward(self, x: Tensor, history: History, keys: Tensor, values: Tensor) -> Tensor:
        x = x + self.words(self.word_norm(x), history)
        x = x + self.cross(self.cross_norm(x), keys, values)
        fed: Tensor = x + self.feed(self.feed_norm(x))
        return fed
