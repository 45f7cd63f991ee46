"""Soft-Attention (Xu et al., ICML 2015) as tf-sparse-captioning trains it, with an LSTM or a GRU.

Weights keep TensorFlow's names, without the scopes that its wrappers add, and its layout, input x
output. They come in capexport's own checkpoints:

    rnn_decoder/rnn_initial_state/kernel [fc, rnn]        first hidden state, from the image vector
    rnn_decoder/memory_layer/kernel [att, attention]      keys
    rnn_decoder/value_layer/kernel [att, attention]       values
    rnn_decoder/query_layer/kernel [rnn, attention]
    rnn_decoder/attention_v [attention]
    rnn_decoder/embedding_map [words, word]
    rnn_decoder/basic_lstm_cell/{kernel, bias} [word + attention + rnn, 4 * rnn], or
    rnn_decoder/gru_cell/gates/{kernel, bias} [word + attention + rnn, 2 * rnn] and
    rnn_decoder/gru_cell/candidate/{kernel, bias} [word + attention + rnn, rnn]
    rnn_decoder/output_projection/{kernel, bias} [rnn, words]
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.additive_attention import AdditiveAttention
from capexport.captioner.blocks import Dropout, Embedding, Linear, lstm_cell
from capexport.captioner.options import Config, choice, size
from capexport.captioner.region_embedding import Shapes, Weights
from capexport.checkpoint import Checkpoint
from capexport.spec.signature import BEAMS, REGIONS, CaptionerSignature, StateSpec, TensorSpec

SCOPE = "rnn_decoder"
LSTM, GRU = "LSTM", "GRU"
FORGET_BIAS = 1.0
"""Added by TensorFlow's LSTMBlockCell to what the file has."""
PUBLISHED = {
    "attn_alignment_method": "add",
    "attn_probability_fn": "softmax",
    "attn_num_heads": 1,
    "cnn_fm_projection": "independent",
    "attn_context_layer": False,
}
"""The trainer's options of the published models. Any other value builds another network."""


class SoftAttentionEncoder(nn.Module):
    """att [regions, features], fc [1, any] -> values, keys [regions, attention], h [1, rnn]."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.values = _kernel(weights, "value_layer")
        self.keys = _kernel(weights, "memory_layer")
        self.hidden = _kernel(weights, "rnn_initial_state")

    def forward(self, att: Tensor, fc: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.values(att), self.keys(att), self.hidden(fc)


class LstmCell(nn.Module):
    """x, h, c -> h, c; the file has the gates in the order input, candidate, forget, output."""

    def __init__(self, weights: Weights, rnn: int) -> None:
        super().__init__()
        cell = f"{SCOPE}/basic_lstm_cell"
        i, g, f, o = weights[f"{cell}/kernel"].T.chunk(4)
        bias_i, bias_g, bias_f, bias_o = weights[f"{cell}/bias"].chunk(4)
        gates = torch.cat([i, f, g, o])
        self.ih = Linear(gates[:, :-rnn], torch.cat([bias_i, bias_f + FORGET_BIAS, bias_g, bias_o]))
        self.hh = Linear(gates[:, -rnn:])

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        return lstm_cell(self.ih(x) + self.hh(h), c)


class GruCell(nn.Module):
    """x, h -> h; gates reset and update, and the reset goes in front of the candidate's matrix."""

    def __init__(self, weights: Weights, rnn: int) -> None:
        super().__init__()
        cell = f"{SCOPE}/gru_cell"
        gates, candidate = (weights[f"{cell}/{p}/kernel"].T for p in ("gates", "candidate"))
        self.gates_ih = Linear(gates[:, :-rnn], weights[f"{cell}/gates/bias"])
        self.gates_hh = Linear(gates[:, -rnn:])
        self.candidate_ih = Linear(candidate[:, :-rnn], weights[f"{cell}/candidate/bias"])
        self.candidate_hh = Linear(candidate[:, -rnn:])

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor]:
        reset, update = torch.sigmoid(self.gates_ih(x) + self.gates_hh(h)).chunk(2, -1)
        candidate = torch.tanh(self.candidate_ih(x) + self.candidate_hh(reset * h))
        return (candidate + update * (h - candidate),)


class SoftAttentionStep(nn.Module):
    """One word for every beam: the cell first, then attention with its new hidden state.

    token [beams], h (and c) [beams, rnn], context [beams, attention], values, keys ->
    log_probs [beams, words], the states after the step
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        weights = checkpoint.tensors
        cell = LstmCell if _cell(checkpoint.config) == LSTM else GruCell
        self.embed = Embedding(weights[f"{SCOPE}/embedding_map"])
        self.cell = cell(weights, size(checkpoint.config, "rnn_size"))
        self.attention = AdditiveAttention(
            _kernel(weights, "query_layer"), weights[f"{SCOPE}/attention_v"]
        )
        name = f"{SCOPE}/output_projection"
        self.words = Linear(weights[f"{name}/kernel"].T, weights[f"{name}/bias"])
        self.drop = Dropout()

    def forward(self, token: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
        *cell_states, context, values, keys = inputs
        x = torch.cat([self.embed(token), context], -1)
        h, *others = self.cell(self.drop(x), *cell_states)
        log_probs = F.log_softmax(self.words(self.drop(h)), -1)
        return (log_probs, h, *others, self.attention(h, values, keys))


def _kernel(weights: Weights, name: str) -> Linear:
    return Linear(weights[f"{SCOPE}/{name}/kernel"].T)


def _cell(config: Config) -> str:
    supported: str = choice(config, "rnn_name", (LSTM, GRU), None)
    return supported


def soft_attention(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature; UnsupportedError for an option of another network."""
    config = checkpoint.config
    rnn, attention = size(config, "rnn_size"), size(config, "attn_size")
    cell = [StateSpec("h", (BEAMS, rnn), start="h_start")]
    if _cell(config) == LSTM:
        cell.append(StateSpec("c", (BEAMS, rnn)))
    signature = CaptionerSignature(
        inputs=(
            TensorSpec("att", (REGIONS, size(config, "att_feat_size"))),
            TensorSpec("fc", (1, size(config, "fc_feat_size"))),
        ),
        memory=(
            TensorSpec("values", (REGIONS, attention)),
            TensorSpec("keys", (REGIONS, attention)),
        ),
        states=(*cell, StateSpec("context", (BEAMS, attention))),
        vocabulary_size=size(config, "vocab_size"),
    )
    return SoftAttentionEncoder(checkpoint.tensors), SoftAttentionStep(checkpoint), signature


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor a Soft-Attention checkpoint must hold."""
    config = checkpoint.config
    for key, value in PUBLISHED.items():
        choice(config, key, (value,), value)
    rnn, attention = size(config, "rnn_size"), size(config, "attn_size")
    word, words = size(config, "rnn_word_size"), size(config, "vocab_size")
    features = size(config, "att_feat_size")
    cells = {
        LSTM: {"basic_lstm_cell": 4 * rnn},
        GRU: {"gru_cell/gates": 2 * rnn, "gru_cell/candidate": rnn},
    }
    biased = {name: (word + attention + rnn, n) for name, n in cells[_cell(config)].items()}
    biased["output_projection"] = (rnn, words)
    kernels = {
        **biased,
        "rnn_initial_state": (size(config, "fc_feat_size"), rnn),
        "memory_layer": (features, attention),
        "value_layer": (features, attention),
        "query_layer": (rnn, attention),
    }
    return {
        f"{SCOPE}/embedding_map": (words, word),
        f"{SCOPE}/attention_v": (attention,),
        **{f"{SCOPE}/{name}/kernel": shape for name, shape in kernels.items()},
        **{f"{SCOPE}/{name}/bias": shape[1:] for name, shape in biased.items()},
    }
