"""Transformer captioners the slow way: the whole prefix at every step, one head at a time.

Written from the trainers' state dictionary in double precision, independently of
`capexport.captioner`; it knows nothing of shared layers, whose published cache is another network.
"""

import math

import torch
from torch import Tensor

from capexport.checkpoint import Checkpoint

ENTRIES = {None: (0, 1, 2, 3), "kv": (0, 1, 1, 2), "qk": (0, 0, 1, 2)}
"""Numbers of the projections of query, key, value and result, by what is shared."""


class PrefixTransformer:
    """A sparse-image-captioning `transformer` or `relation_transformer`."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.config = checkpoint.config
        self.bos = checkpoint.decoding.bos
        self.weights = {name: tensor.double() for name, tensor in checkpoint.tensors.items()}
        self.root = "model" if "model.encoder.norm.a_2" in self.weights else "core"
        self.layers: int = self.config["num_layers"]

    def log_probs(self, tokens: list[int], att: Tensor, box: Tensor | None = None) -> Tensor:
        """[steps, vocabulary]: row t has seen `tokens` up to t - 1."""
        memory = self._encode(att.double(), None if box is None else box.double())
        read = [self.bos, *tokens[:-1]]
        return torch.stack([self._last(read[: t + 1], memory) for t in range(len(read))])

    def _encode(self, att: Tensor, box: Tensor | None) -> Tensor:
        embed = "att_embed.0" if self.root == "model" else "core.src_embed.0"
        x = torch.relu(self._linear(embed, att))
        for i in range(self.layers):
            name = f"{self.root}.encoder.layers.{i}"
            y = self._norm(f"{name}.sublayer.0.norm", x)
            weights = None if box is None else self._geometry(f"{name}.self_attn", box)
            x = x + self._attend(f"{name}.self_attn", "encoder", y, y, weights)
            x = x + self._feed(name, self._norm(f"{name}.sublayer.1.norm", x))
        return self._norm(f"{self.root}.encoder.norm", x)

    def _last(self, read: list[int], memory: Tensor) -> Tensor:
        width = memory.shape[1]
        table = self.weights[f"{self.root}.tgt_embed.0.lut.weight"]
        x = table[read] * math.sqrt(width) + _places(len(read), width)
        seen = torch.ones(len(read), len(read), dtype=torch.float64).tril()
        for i in range(self.layers):
            name = f"{self.root}.decoder.layers.{i}"
            y = self._norm(f"{name}.sublayer.0.norm", x)
            x = x + self._attend(f"{name}.self_attn", "decoder", y, y, [seen] * self._heads)
            y = self._norm(f"{name}.sublayer.1.norm", x)
            x = x + self._attend(f"{name}.src_attn", "decoder", y, memory, None)
            x = x + self._feed(name, self._norm(f"{name}.sublayer.2.norm", x))
        x = self._norm(f"{self.root}.decoder.norm", x[-1])
        return self._linear(f"{self.root}.generator.proj", x).log_softmax(-1)

    @property
    def _heads(self) -> int:
        heads: int = self.config["num_heads"]
        return heads

    def _attend(
        self, name: str, side: str, x: Tensor, to: Tensor, factors: list[Tensor] | None
    ) -> Tensor:
        """`factors` multiply each head's weights before they are made to sum to 1."""
        q, k, v, out = ENTRIES[self.config.get(f"share_att_{side}")]
        query = self._linear(f"{name}.linears.{q}", x).chunk(self._heads, -1)
        key, value = (
            self._linear(f"{name}.linears.{i}", to).chunk(self._heads, -1) for i in (k, v)
        )
        heads = []
        for head in range(self._heads):
            weights = torch.exp(query[head] @ key[head].T / math.sqrt(key[head].shape[1]))
            weights = weights if factors is None else weights * factors[head]
            heads.append(weights / weights.sum(1, keepdim=True) @ value[head])
        return self._linear(f"{name}.linears.{out}", torch.cat(heads, 1))

    def _geometry(self, name: str, box: Tensor) -> list[Tensor]:
        """Factor of every pair of regions, for each head."""
        pairs = torch.stack([torch.stack([_place(a, b) for b in box]) for a in box])
        heads = [self._linear(f"{name}.WGs.{head}", pairs) for head in range(self._heads)]
        return [head[..., 0].clamp(min=1e-6) for head in heads]

    def _feed(self, name: str, x: Tensor) -> Tensor:
        inner = torch.relu(self._linear(f"{name}.feed_forward.w_1", x))
        return self._linear(f"{name}.feed_forward.w_2", inner)

    def _norm(self, name: str, x: Tensor) -> Tensor:
        scale, bias = (self.weights[f"{name}.{part}"] for part in ("a_2", "b_2"))
        return scale * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-6) + bias

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]


def _places(count: int, width: int) -> Tensor:
    table = torch.zeros(count, width, dtype=torch.float64)
    for t in range(count):
        for i in range(0, width, 2):
            angle = t / 10000 ** (i / width)
            table[t, i], table[t, i + 1] = math.sin(angle), math.cos(angle)
    return table


def _place(a: Tensor, b: Tensor) -> Tensor:
    """How box b lies to box a, 64 waves (Herdade et al. 2019, with the trainers' + 1)."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = (
        ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0 + 1, y1 - y0 + 1)
        for x0, y0, x1, y1 in (a.tolist(), b.tolist())
    )
    numbers = [
        math.log(max(abs(ax - bx) / aw, 1e-3)),
        math.log(max(abs(ay - by) / ah, 1e-3)),
        math.log(aw / bw),
        math.log(ah / bh),
    ]
    angles = torch.tensor([100 * n / 1000 ** (k / 8) for n in numbers for k in range(8)])
    return torch.cat([angles.sin(), angles.cos()]).double()
