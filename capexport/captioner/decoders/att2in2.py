"""Att2in2 (Rennie et al., CVPR 2017) as ImageCaptioning.pytorch trains it: attention and a cell.

The closest of that trainer's models to Show, Attend and Tell: one cell, which attention with the
hidden state of the step before feeds through its candidate values.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.additive_attention import additive_attention, additive_attention_shapes
from capexport.captioner.blocks import Dropout, Embedding, Linear, maxout_cell
from capexport.captioner.options import Config, size
from capexport.captioner.region_embedding import (
    RegionEmbedding,
    Shapes,
    Weights,
    region_embedding_shapes,
)
from capexport.captioner.word_scores import WordScores, word_scores_shapes
from capexport.checkpoint import Checkpoint
from capexport.spec.signature import BEAMS, REGIONS, CaptionerSignature, StateSpec, TensorSpec


class Att2in2Encoder(nn.Module):
    """att [regions, features] -> values [regions, rnn], keys [regions, attention]."""

    def __init__(self, weights: Weights, config: Config) -> None:
        super().__init__()
        self.att_embed = RegionEmbedding(weights, config)
        self.ctx2att = Linear(weights["ctx2att.weight"], weights["ctx2att.bias"])

    def forward(self, att: Tensor) -> tuple[Tensor, Tensor]:
        values = self.att_embed(att)
        return values, self.ctx2att(values)


class Att2in2Step(nn.Module):
    """One word for every beam.

    token [beams], h, c [beams, rnn], values, keys -> log_probs [beams, vocabulary], h, c
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        weights = checkpoint.tensors
        self.embed = Embedding(weights["embed.0.weight"])
        self.attention = additive_attention(weights)
        both_biases = weights["core.i2h.bias"] + weights["core.h2h.bias"]
        self.i2h = Linear(weights["core.i2h.weight"], both_biases)
        self.h2h = Linear(weights["core.h2h.weight"])
        self.a2c = Linear(weights["core.a2c.weight"], weights["core.a2c.bias"])
        self.logit = WordScores(weights, size(checkpoint.config, "logit_layers", 1))
        self.drop = Dropout()

    def forward(
        self, token: Tensor, h: Tensor, c: Tensor, values: Tensor, keys: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        # the lookup first: in the middle it would cut LiteRT's delegated graph in two
        word = self.drop(F.relu(self.embed(token)))
        candidates = self.a2c(self.attention(h, values, keys))
        gates = self.i2h(word) + self.h2h(h)
        h, c = maxout_cell(gates, c, candidates)
        return self.logit(h), h, c


def att2in2(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature."""
    config = checkpoint.config
    rnn = size(config, "rnn_size")
    signature = CaptionerSignature(
        inputs=(TensorSpec("att", (REGIONS, size(config, "att_feat_size"))),),
        memory=(
            TensorSpec("values", (REGIONS, rnn)),
            TensorSpec("keys", (REGIONS, size(config, "att_hid_size"))),
        ),
        states=tuple(StateSpec(name, (BEAMS, rnn)) for name in ("h", "c")),
        vocabulary_size=size(config, "vocab_size"),
    )
    encoder = Att2in2Encoder(checkpoint.tensors, config)
    return encoder, Att2in2Step(checkpoint), signature


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor an Att2in2 checkpoint must hold, by the trainer's names."""
    config = checkpoint.config
    rnn, attention = size(config, "rnn_size"), size(config, "att_hid_size")
    word, words = size(config, "input_encoding_size"), size(config, "vocab_size")
    return {
        "embed.0.weight": (words, word),
        **region_embedding_shapes(config, rnn),
        "ctx2att.weight": (attention, rnn),
        "ctx2att.bias": (attention,),
        "core.i2h.weight": (5 * rnn, word),
        "core.i2h.bias": (5 * rnn,),
        "core.h2h.weight": (5 * rnn, rnn),
        "core.h2h.bias": (5 * rnn,),
        "core.a2c.weight": (2 * rnn, rnn),
        "core.a2c.bias": (2 * rnn,),
        **additive_attention_shapes(rnn, attention),
        **word_scores_shapes(words, rnn, size(config, "logit_layers", 1)),
    }
