"""FC model (Rennie et al., CVPR 2017) as ImageCaptioning.pytorch's `newfc`: image vector and cell.

The cell sees the image before the first word. That step is the encoder's, which starts the states.
"""

import torch
from torch import Tensor, nn

from capexport.captioner.blocks import Embedding, Linear, maxout_cell
from capexport.captioner.options import size
from capexport.captioner.region_embedding import Shapes, Weights
from capexport.captioner.word_scores import WordScores, word_scores_shapes
from capexport.checkpoint import Checkpoint
from capexport.spec.signature import BEAMS, CaptionerSignature, StateSpec, TensorSpec


class NewFcEncoder(nn.Module):
    """fc [1, features] -> h_start, c_start [1, rnn].

    The forget gate meets a cell of zeros, so its rows are left out: what is left are the rows of
    the input gate, the output gate and the two candidates.
    """

    def __init__(self, weights: Weights, rnn: int) -> None:
        super().__init__()
        self.fc_embed = Linear(weights["fc_embed.weight"], weights["fc_embed.bias"])
        both_biases = weights["_core.i2h.bias"] + weights["_core.h2h.bias"]
        self.i2h = Linear(
            _without_forget_gate(weights["_core.i2h.weight"], rnn),
            _without_forget_gate(both_biases, rnn),
        )

    def forward(self, fc: Tensor) -> tuple[Tensor, Tensor]:
        i, o, a, b = self.i2h(self.fc_embed(fc)).chunk(4, -1)
        c = torch.sigmoid(i) * torch.maximum(a, b)
        return torch.sigmoid(o) * torch.tanh(c), c


def _without_forget_gate(gates: Tensor, rnn: int) -> Tensor:
    return torch.cat([gates[:rnn], gates[2 * rnn :]])


class NewFcStep(nn.Module):
    """One word for every beam: token [beams], h, c [beams, rnn] -> log_probs, h, c."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        weights = checkpoint.tensors
        self.embed = Embedding(weights["embed.weight"])
        both_biases = weights["_core.i2h.bias"] + weights["_core.h2h.bias"]
        self.i2h = Linear(weights["_core.i2h.weight"], both_biases)
        self.h2h = Linear(weights["_core.h2h.weight"])
        self.logit = WordScores(weights, size(checkpoint.config, "logit_layers", 1))

    def forward(self, token: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h, c = maxout_cell(self.i2h(self.embed(token)) + self.h2h(h), c)
        return self.logit(h), h, c


def newfc(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature."""
    config = checkpoint.config
    rnn = size(config, "rnn_size")
    signature = CaptionerSignature(
        inputs=(TensorSpec("fc", (1, size(config, "fc_feat_size"))),),
        memory=(),
        states=tuple(StateSpec(name, (BEAMS, rnn), start=f"{name}_start") for name in ("h", "c")),
        vocabulary_size=size(config, "vocab_size"),
    )
    return NewFcEncoder(checkpoint.tensors, rnn), NewFcStep(checkpoint), signature


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor a newfc checkpoint must hold, by the trainer's names."""
    config = checkpoint.config
    rnn, word = size(config, "rnn_size"), size(config, "input_encoding_size")
    return {
        "embed.weight": (size(config, "vocab_size"), word),
        "fc_embed.weight": (word, size(config, "fc_feat_size")),
        "fc_embed.bias": (word,),
        "_core.i2h.weight": (5 * rnn, word),
        "_core.i2h.bias": (5 * rnn,),
        "_core.h2h.weight": (5 * rnn, rnn),
        "_core.h2h.bias": (5 * rnn,),
        **word_scores_shapes(size(config, "vocab_size"), rnn, size(config, "logit_layers", 1)),
    }
