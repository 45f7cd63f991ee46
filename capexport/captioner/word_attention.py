"""Attention of a decoder step's one word: to the words before it, and to the image.

Shapes are chosen so that a step moves nothing but its caches into heads: the word is a row of each
head from the start, and the image's keys come transposed from the encoder.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.attention import (
    ROLES,
    Weights,
    query_alone,
    query_key_value,
    result,
)
from capexport.captioner.blocks import Embedding

MASKED = -1e9
"""Added to the score of what may not be seen; exp gives 0 for it."""


class CrossAttention(nn.Module):
    """The word looks at the image.

    x [beams, width], standardized, keys [heads, width / heads, regions],
    values [heads, regions, width / heads] -> [beams, width]
    """

    def __init__(self, norm: Weights, weights: Weights, heads: int, share: str | None) -> None:
        super().__init__()
        self.query = query_alone(norm, weights, heads, share)
        self.result = result(weights, share)
        self.heads = heads

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        query = word_heads(self.query(x), self.heads)
        seen = torch.matmul(F.softmax(torch.matmul(query, keys), -1), values)
        attended: Tensor = self.result(seen.flatten(1))
        return attended


class WordAttention(nn.Module):
    """The word looks at itself and the words before it."""

    def __init__(self, norm: Weights, weights: Weights, heads: int, share: str | None) -> None:
        super().__init__()
        self.project = query_key_value(norm, weights, heads, share)
        self.result = result(weights, share)
        self.heads, self.roles = heads, ROLES[share]

    def forward(self, x: Tensor, history: "History") -> Tensor:
        """x [beams, width], standardized -> the same shape; the word is added to the history."""
        pieces = self.project(x).chunk(max(self.roles) + 1, -1)
        query, key, value = (pieces[role] for role in self.roles)
        history.add(key, value)
        attended: Tensor = self.result(history.attend(word_heads(query, self.heads)).flatten(1))
        return attended


class History:
    """Keys and values of the words so far, of layers that share one cache; lives for one step.

    Args:
        caches: one tensor [beams, rows, width] of keys and one of values, or one that is both.
        hidden: [beams, 1, 1, rows], MASKED for rows that are not written yet.
        heads: of the attention.
    """

    def __init__(self, caches: tuple[Tensor, ...], hidden: Tensor, heads: int) -> None:
        old = [_cache_heads(cache, heads) for cache in caches]
        self._old_keys, self._old_values = old[0], old[-1]
        self._hidden, self._heads, self._caches = hidden, heads, len(caches)
        self._keys: list[Tensor] = []
        self._values: list[Tensor] = []

    def add(self, key: Tensor, value: Tensor) -> None:
        """Key and value [beams, width] of the word in the next layer."""
        self._keys.append(key)
        self._values.append(value)

    def attend(self, query: Tensor) -> Tensor:
        """[beams, heads, 1, width / heads] -> the same: one softmax over old rows and new ones."""
        keys, values = (
            _joined([word_heads(row, self._heads) for row in rows], 2)
            for rows in (self._keys, self._values)
        )
        before = torch.matmul(query, self._old_keys.transpose(2, 3)) + self._hidden
        now = torch.matmul(query, keys.transpose(2, 3))
        weights = F.softmax(torch.cat([before, now], -1), -1)
        written = self._old_keys.shape[2]
        old = torch.matmul(weights[..., :written], self._old_values)
        return old + torch.matmul(weights[..., written:], values)

    def next_rows(self) -> list[Tensor]:
        """What the host writes into each of the caches, [beams, rows, width]."""
        lists = (self._keys, self._values)[: self._caches]
        return [_joined([row.unsqueeze(1) for row in rows], 1) for rows in lists]


class UnwrittenRows(nn.Module):
    """Position [beams] -> [beams, 1, 1, steps * rows]: MASKED for what is not written yet.

    A table, so that the graph compares no integers.
    """

    def __init__(self, steps: int, rows: int) -> None:
        super().__init__()
        step_of_row = torch.arange(steps).repeat_interleave(rows)
        unwritten = step_of_row >= torch.arange(steps)[:, None]
        self.table = Embedding(unwritten * MASKED)

    def forward(self, position: Tensor) -> Tensor:
        hidden: Tensor = self.table(position)
        return hidden.view(-1, 1, 1, hidden.shape[1])


def _joined(rows: list[Tensor], axis: int) -> Tensor:
    return rows[0] if len(rows) == 1 else torch.cat(rows, axis)


def _cache_heads(cache: Tensor, heads: int) -> Tensor:
    """[beams, rows, width] -> [beams, heads, rows, width / heads]."""
    _, rows, width = cache.shape
    return cache.view(-1, rows, heads, width // heads).transpose(1, 2)


def word_heads(x: Tensor, heads: int) -> Tensor:
    """[beams, width] -> [beams, heads, 1, width / heads]; moves nothing."""
    return x.view(-1, heads, 1, x.shape[1] // heads)
