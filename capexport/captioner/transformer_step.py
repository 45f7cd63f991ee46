"""The words' side of a transformer captioner: one word of every beam through the decoder layers."""

import math

from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Embedding
from capexport.captioner.folded_norm import Standardized, after_norm
from capexport.captioner.transformer_encoder import FeedForward
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
        self.norm = Standardized(plan.width)
        scores = below(weights, "generator.proj")
        self.scores = after_norm(below(weights, "decoder.norm"), scores["weight"], scores["bias"])

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
        norms = [below(weights, f"sublayer.{i}.norm") for i in range(3)]
        self.norm = Standardized(plan.width)
        self.words = WordAttention(norms[0], below(weights, "self_attn"), heads, share)
        self.cross = CrossAttention(norms[1], below(weights, "src_attn"), heads, share)
        self.feed = FeedForward(norms[2], below(weights, "feed_forward"))

    def forward(self, x: Tensor, history: History, keys: Tensor, values: Tensor) -> Tensor:
        x = x + self.words(self.norm(x), history)
        x = x + self.cross(self.norm(x), keys, values)
        fed: Tensor = x + self.feed(self.norm(x))
        return fed
