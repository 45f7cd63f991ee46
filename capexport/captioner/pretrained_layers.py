"""Layers of pre-trained transformers: norms, activations, attention over a cache or a memory.

The host keeps the caches, so a step adds one row to them in its own reading and returns that row.
Heads are made by reshaping [..., width] into [..., heads, width / heads].
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Embedding, Linear
from capexport.errors import UnsupportedError

Weights = Mapping[str, Tensor]
Activation = Callable[[Tensor], Tensor]

MASKED = -1e9
"""Added to the scores of what must not be seen; exp of it is 0 in float32."""


def _gelu_tanh(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


def _quick_gelu(x: Tensor) -> Tensor:
    """x * sigmoid(1.702 x) (Hendrycks and Gimpel 2016, as in CLIP)."""
    return x * torch.sigmoid(x * 1.702)


ACTIVATIONS: Mapping[str, Activation] = {
    "gelu": F.gelu,
    "gelu_new": _gelu_tanh,
    "gelu_pytorch_tanh": _gelu_tanh,
    "quick_gelu": _quick_gelu,
    "relu": F.relu,
}
"""By the names that config.json uses."""


def activation(name: str) -> Activation:
    """The function of that name; UnsupportedError for one that is not in ACTIVATIONS."""
    if name not in ACTIVATIONS:
        raise UnsupportedError(
            f"there is no activation {name[:40]!r}",
            where="config.json",
            hint=f"supported: {', '.join(ACTIVATIONS)}",
        )
    return ACTIVATIONS[name]


class LayerNorm(nn.Module):
    """Norm of the last axis by given weights `NAME.weight` and `NAME.bias`."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weights: Weights, name: str, epsilon: float) -> None:
        super().__init__()
        self.register_buffer("weight", weights[f"{name}.weight"])
        self.register_buffer("bias", weights[f"{name}.bias"])
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.epsilon)


def linear(weights: Weights, *names: str) -> Linear:
    """The layers `names` side by side: one layer that returns their results joined."""
    weight = torch.cat([weights[f"{name}.weight"] for name in names])
    if f"{names[0]}.bias" not in weights:
        return Linear(weight)
    return Linear(weight, torch.cat([weights[f"{name}.bias"] for name in names]))


class FeedForward(nn.Module):
    """Two linears with an activation in between."""

    def __init__(self, inner: Linear, activate: Activation, outer: Linear) -> None:
        super().__init__()
        self.inner, self.activate, self.outer = inner, activate, outer

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.outer(self.activate(self.inner(x)))
        return y


class SelfAttention(nn.Module):
    """Attention of tokens to one another: x [tokens, width] -> [tokens, width]."""

    def __init__(self, qkv: Linear, out: Linear, heads: int) -> None:
        super().__init__()
        self.qkv, self.out, self.heads = qkv, out, heads

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, -1))
        return self.out(join_heads(attend(query, key, value)))  # type: ignore[no-any-return]


class CachedSelfAttention(nn.Module):
    """Attention of one token per beam to the tokens before it and to itself.

    x [beams, width], caches [beams, capacity, width], mask [beams, 1, 1, capacity + 1] ->
    [beams, width], and the new rows of both caches [beams, 1, width]
    """

    def __init__(self, qkv: Linear, out: Linear, heads: int) -> None:
        super().__init__()
        self.qkv, self.out, self.heads = qkv, out, heads

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = self.qkv(x).chunk(3, -1)
        key, value = key.unsqueeze(1), value.unsqueeze(1)
        context = attend(
            by_head(query.unsqueeze(1), self.heads),
            by_head(torch.cat([keys, key], 1), self.heads),
            by_head(torch.cat([values, value], 1), self.heads),
            mask,
        )
        return self.out(context.flatten(1)), key, value


class PrefixedSelfAttention(nn.Module):
    """The same, and to the image's tokens before the caption: one softmax over both.

    image keys and values [heads, tokens, width / heads] are shared by all beams.
    """

    def __init__(self, qkv: Linear, out: Linear, heads: int) -> None:
        super().__init__()
        self.qkv, self.out, self.heads = qkv, out, heads

    def forward(
        self,
        x: Tensor,
        keys: Tensor,
        values: Tensor,
        mask: Tensor,
        image_keys: Tensor,
        image_values: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = self.qkv(x).chunk(3, -1)
        key, value = key.unsqueeze(1), value.unsqueeze(1)
        query = split_heads(query, self.heads)  # [heads, beams, width / heads]
        query = query * query.shape[-1] ** -0.5
        caption = by_head(torch.cat([keys, key], 1), self.heads)
        on_image = torch.matmul(query, image_keys.transpose(-1, -2)).transpose(0, 1).unsqueeze(2)
        on_caption = torch.matmul(
            query.transpose(0, 1).unsqueeze(2), caption.transpose(-1, -2)
        )  # [beams, heads, 1, capacity + 1]
        tokens = image_keys.shape[1]
        shares = F.softmax(torch.cat([on_image, on_caption + mask], -1), -1)
        from_image = torch.matmul(shares[..., :tokens].squeeze(2).transpose(0, 1), image_values)
        from_caption = torch.matmul(
            shares[..., tokens:], by_head(torch.cat([values, value], 1), self.heads)
        )
        return self.out(join_heads(from_image) + from_caption.flatten(1)), key, value


class MemoryAttention(nn.Module):
    """Attention of one token per beam to the image, whose keys and values all beams share.

    x [beams, width], keys and values [heads, tokens, width / heads] -> [beams, width]
    """

    def __init__(self, query: Linear, out: Linear, heads: int) -> None:
        super().__init__()
        self.query, self.out, self.heads = query, out, heads

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        query = split_heads(self.query(x), self.heads)
        return self.out(join_heads(attend(query, keys, values)))  # type: ignore[no-any-return]


class MemoryKeysValues(nn.Module):
    """What `MemoryAttention` of every layer reads: image [tokens, width] -> keys, values, keys ...

    Each [heads, tokens, width / heads]; `layers` project to keys and values side by side.
    """

    def __init__(self, layers: Sequence[Linear], heads: int) -> None:
        super().__init__()
        self.layers, self.heads = nn.ModuleList(layers), heads

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(
            split_heads(part, self.heads)
            for layer in self.layers
            for part in layer(image).chunk(2, -1)
        )


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(q k^T / sqrt(width) + mask) v over the last two axes (Vaswani et al. 2017, eq. 1)."""
    scores = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(-1, -2))
    if mask is not None:
        scores = scores + mask
    return torch.matmul(F.softmax(scores, -1), value)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[tokens, width] -> [heads, tokens, width / heads]"""
    return x.reshape(x.shape[0], heads, -1).transpose(0, 1)


def join_heads(x: Tensor) -> Tensor:
    """[heads, tokens, width / heads] -> [tokens, width]"""
    return x.transpose(0, 1).flatten(1)


def by_head(x: Tensor, heads: int) -> Tensor:
    """[beams, rows, width] -> [beams, heads, rows, width / heads]"""
    return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


class StepMask(nn.Module):
    """position [beams] -> mask [beams, 1, 1, capacity + 1]: rows not written yet are MASKED.

    A table in place of a comparison, so that the graph computes with floats only. The last column
    is the token itself.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__()
        written = torch.ones(capacity, capacity + 1).tril(-1).bool()
        written[:, -1] = True
        self.table = Embedding(torch.where(written, 0.0, MASKED))

    def forward(self, position: Tensor) -> Tensor:
        mask: Tensor = self.table(position)
        return mask.unsqueeze(1).unsqueeze(1)
