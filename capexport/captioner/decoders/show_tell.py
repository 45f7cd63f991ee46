"""Show and Tell (Vinyals et al., CVPR 2015) as ImageCaptioning.pytorch trains it: image, words.

The LSTM sees the image before the first word. That step is the encoder's, which starts the states.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from capexport.captioner.blocks import Embedding, Linear, lstm_cell
from capexport.captioner.options import choice, size
from capexport.captioner.region_embedding import Shapes, Weights
from capexport.captioner.word_scores import WordScores, word_scores_shapes
from capexport.checkpoint import Checkpoint
from capexport.spec.signature import BEAMS, CaptionerSignature, StateSpec, TensorSpec


class ShowTellEncoder(nn.Module):
    """fc [1, features] -> h and c [1, rnn] of each layer, in turn.

    The forget gates meet cells of zeros and are left out, as is all that reads a zero state.
    """

    def __init__(self, weights: Weights, layers: int) -> None:
        super().__init__()
        self.img_embed = Linear(weights["img_embed.weight"], weights["img_embed.bias"])
        gates = (weights[f"core.weight_ih_l{i}"].chunk(4) for i in range(layers))
        self.ih = nn.ModuleList([Linear(torch.cat([i, g, o])) for i, _, g, o in gates])

    def forward(self, fc: Tensor) -> tuple[Tensor, ...]:
        x, states = self.img_embed(fc), []
        for ih in self.ih:
            i, g, o = ih(x).chunk(3, -1)
            c = torch.sigmoid(i) * torch.tanh(g)
            x = torch.sigmoid(o) * torch.tanh(c)
            states += [x, c]
        return tuple(states)


class ShowTellStep(nn.Module):
    """One word for every beam.

    token [beams], h and c [beams, rnn] of each layer -> log_probs [beams, vocabulary], h and c
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        weights, layers = checkpoint.tensors, range(size(checkpoint.config, "num_layers", 1))
        self.embed = Embedding(weights["embed.weight"])
        self.ih = nn.ModuleList([Linear(weights[f"core.weight_ih_l{i}"]) for i in layers])
        self.hh = nn.ModuleList([Linear(weights[f"core.weight_hh_l{i}"]) for i in layers])
        self.logit = WordScores(weights)

    def forward(self, token: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        x, following = self.embed(token), []
        for ih, hh, h, c in zip(self.ih, self.hh, states[::2], states[1::2], strict=True):
            x, c = lstm_cell(ih(x) + hh(h), c)
            following += [x, c]
        return (self.logit(x), *following)


def show_tell(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature; UnsupportedError for another cell than an LSTM."""
    config = checkpoint.config
    choice(config, "rnn_type", ("lstm",), "lstm")
    rnn, layers = size(config, "rnn_size"), size(config, "num_layers", 1)
    signature = CaptionerSignature(
        inputs=(TensorSpec("fc", (1, size(config, "fc_feat_size"))),),
        memory=(),
        states=tuple(
            StateSpec(name, (BEAMS, rnn), start=f"{name}_start") for name in _state_names(layers)
        ),
        vocabulary_size=size(config, "vocab_size"),
    )
    return ShowTellEncoder(checkpoint.tensors, layers), ShowTellStep(checkpoint), signature


def _state_names(layers: int) -> Iterable[str]:
    return (f"{name}{i}" for i in range(layers) for name in ("h", "c"))


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor a show_tell checkpoint must hold, by the trainer's names."""
    config = checkpoint.config
    rnn, word, words = (
        size(config, "rnn_size"),
        size(config, "input_encoding_size"),
        size(config, "vocab_size"),
    )
    shapes: Shapes = {
        "embed.weight": (words, word),
        "img_embed.weight": (word, size(config, "fc_feat_size")),
        "img_embed.bias": (word,),
        **word_scores_shapes(words, rnn),
    }
    for i in range(size(config, "num_layers", 1)):
        shapes[f"core.weight_ih_l{i}"] = (4 * rnn, rnn if i else word)
        shapes[f"core.weight_hh_l{i}"] = (4 * rnn, rnn)
    return shapes
