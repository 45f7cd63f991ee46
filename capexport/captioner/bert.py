"""BERT's layers (Devlin et al. 2019) by transformers' names: each part adds to x, then norms it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from capexport.captioner.blocks import Embedding, Linear
from capexport.captioner.expected_shapes import Shapes, affine, norm
from capexport.captioner.pretrained_layers import (
    Activation,
    FeedForward,
    LayerNorm,
    StepMask,
    Weights,
    activation,
    linear,
)

Config = Mapping[str, Any]


class BertEmbedding(nn.Module):
    """token, position [beams] -> x [beams, width], and the mask of the caches' unwritten rows."""

    def __init__(self, weights: Weights, name: str, config: Config, steps: int) -> None:
        super().__init__()
        self.words = Embedding(weights[f"{name}.word_embeddings.weight"])
        self.positions = Embedding(weights[f"{name}.position_embeddings.weight"][:steps])
        self.norm = LayerNorm(weights, f"{name}.LayerNorm", config["layer_norm_eps"])
        self.mask = StepMask(steps)

    def forward(self, token: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        return self.norm(self.words(token) + self.positions(position)), self.mask(position)


class BertFeedForward(nn.Module):
    """norm(x + feed_forward(x))"""

    def __init__(self, weights: Weights, layer: str, config: Config) -> None:
        super().__init__()
        self.feed_forward = FeedForward(
            linear(weights, f"{layer}.intermediate.dense"),
            activation(config["hidden_act"]),
            linear(weights, f"{layer}.output.dense"),
        )
        self.norm = LayerNorm(weights, f"{layer}.output.LayerNorm", config["layer_norm_eps"])

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x + self.feed_forward(x))
        return y


class BertHead(nn.Module):
    """x [beams, width] -> logits [beams, vocabulary]: BERT's masked-word head.

    The last layer is the word embedding `table`, unless the file has one of its own.
    """

    def __init__(self, weights: Weights, head: str, table: str, config: Config) -> None:
        super().__init__()
        self.dense = linear(weights, f"{head}.transform.dense")
        self.activate: Activation = activation(config["hidden_act"])
        self.norm = LayerNorm(weights, f"{head}.transform.LayerNorm", config["layer_norm_eps"])
        self.logits = Linear(
            weights.get(f"{head}.decoder.weight", weights[table]),
            weights.get(f"{head}.decoder.bias", weights[f"{head}.bias"]),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.logits(self.norm(self.activate(self.dense(x))))
        return logits


def embedding_shapes(name: str, config: Config) -> Shapes:
    """Tensors of `BertEmbedding`."""
    width = config["hidden_size"]
    return {
        f"{name}.word_embeddings.weight": (config["vocab_size"], width),
        f"{name}.position_embeddings.weight": (config["max_position_embeddings"], width),
        **norm(f"{name}.LayerNorm", width),
    }


def attention_shapes(name: str, width: int, source: int) -> Shapes:
    """Tensors of an attention to tokens of `source` numbers, with its norm."""
    return {
        **affine(f"{name}.self.query", width, width),
        **affine(f"{name}.self.key", width, source),
        **affine(f"{name}.self.value", width, source),
        **affine(f"{name}.output.dense", width, width),
        **norm(f"{name}.output.LayerNorm", width),
    }


def feed_forward_shapes(layer: str, config: Config) -> Shapes:
    """Tensors of `BertFeedForward`."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    return {
        **affine(f"{layer}.intermediate.dense", inner, width),
        **affine(f"{layer}.output.dense", width, inner),
        **norm(f"{layer}.output.LayerNorm", width),
    }


def head_shapes(head: str, config: Config, weights: Weights) -> Shapes:
    """Tensors of `BertHead` but the table, those of its own last layer only where they are."""
    width = config["hidden_size"]
    untied = affine(f"{head}.decoder", config["vocab_size"], width)
    return {
        **{name: shape for name, shape in untied.items() if name in weights},
        **affine(f"{head}.transform.dense", width, width),
        **norm(f"{head}.transform.LayerNorm", width),
        f"{head}.bias": (config["vocab_size"],),
    }
