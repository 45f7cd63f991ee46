"""Up-Down (Anderson et al., CVPR 2018): two LSTMs and, in between, attention over regions.

As sparse-image-captioning and ImageCaptioning.pytorch train it; the keys are the same in both.
Everything that does not depend on the token is in the encoder. That includes the image vector's
share of the attention LSTM's gates, a third of its input weights, which the trainers compute anew
for every word.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.additive_attention import additive_attention, additive_attention_shapes
from capexport.captioner.blocks import Dropout, Embedding, Linear, lstm_cell
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


class UpDownEncoder(nn.Module):
    """Region features -> what every decoder step reads.

    att [regions, features], fc [1, features] ->
    values [regions, rnn], keys [regions, attention], fc_gates [1, 4 * rnn]
    """

    def __init__(self, weights: Weights, config: Config) -> None:
        super().__init__()
        rnn = size(config, "rnn_size")
        weight_ih = weights["core.att_lstm.weight_ih"]
        both_biases = weights["core.att_lstm.bias_ih"] + weights["core.att_lstm.bias_hh"]
        self.fc_embed = Linear(weights["fc_embed.0.weight"], weights["fc_embed.0.bias"])
        self.att_embed = RegionEmbedding(weights, config)
        self.ctx2att = Linear(weights["ctx2att.weight"], weights["ctx2att.bias"])
        self.att_lstm_fc = Linear(weight_ih[:, rnn : 2 * rnn], both_biases)
        self.drop = Dropout()

    def forward(self, att: Tensor, fc: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        values = self.att_embed(att)
        fc_gates = self.att_lstm_fc(self.drop(F.relu(self.fc_embed(fc))))
        return values, self.ctx2att(values), fc_gates


class UpDownStep(nn.Module):
    """One word for every beam.

    token [beams], h_att, h_lang, c_att, c_lang [beams, rnn], values, keys, fc_gates ->
    log_probs [beams, vocabulary], the four states after the step
    """

    def __init__(self, weights: Weights, config: Config) -> None:
        super().__init__()
        rnn = size(config, "rnn_size")
        att_ih = weights["core.att_lstm.weight_ih"]
        lang_bias = weights["core.lang_lstm.bias_ih"] + weights["core.lang_lstm.bias_hh"]
        self.embed = Embedding(weights["embed.0.weight"])
        self.att_lstm_ih = Linear(torch.cat([att_ih[:, :rnn], att_ih[:, 2 * rnn :]], 1))
        self.att_lstm_hh = Linear(weights["core.att_lstm.weight_hh"])
        self.attention = additive_attention(weights)
        self.lang_lstm_ih = Linear(weights["core.lang_lstm.weight_ih"], lang_bias)
        self.lang_lstm_hh = Linear(weights["core.lang_lstm.weight_hh"])
        self.logit = WordScores(weights, size(config, "logit_layers", 1))
        self.drop = Dropout()

    def forward(
        self,
        token: Tensor,
        h_att: Tensor,
        h_lang: Tensor,
        c_att: Tensor,
        c_lang: Tensor,
        values: Tensor,
        keys: Tensor,
        fc_gates: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        word = self.drop(F.relu(self.embed(token)))
        gates = self.att_lstm_ih(torch.cat([h_lang, word], -1)) + self.att_lstm_hh(h_att)
        h_att, c_att = lstm_cell(gates + fc_gates, c_att)
        context = self.attention(h_att, values, keys)
        gates = self.lang_lstm_ih(torch.cat([context, h_att], -1)) + self.lang_lstm_hh(h_lang)
        h_lang, c_lang = lstm_cell(gates, c_lang)
        return self.logit(h_lang), h_att, h_lang, c_att, c_lang


def up_down(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature."""
    config, weights = checkpoint.config, checkpoint.tensors
    rnn, attention = size(config, "rnn_size"), size(config, "att_hid_size")
    signature = CaptionerSignature(
        inputs=(
            TensorSpec("att", (REGIONS, size(config, "att_feat_size"))),
            TensorSpec("fc", (1, size(config, "fc_feat_size"))),
        ),
        memory=(
            TensorSpec("values", (REGIONS, rnn)),
            TensorSpec("keys", (REGIONS, attention)),
            TensorSpec("fc_gates", (1, 4 * rnn)),
        ),
        states=tuple(
            StateSpec(name, (BEAMS, rnn)) for name in ("h_att", "h_lang", "c_att", "c_lang")
        ),
        vocabulary_size=size(config, "vocab_size"),
    )
    return UpDownEncoder(weights, config), UpDownStep(weights, config), signature


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor an Up-Down checkpoint must hold, by the trainers' names."""
    config = checkpoint.config
    rnn, attention = size(config, "rnn_size"), size(config, "att_hid_size")
    word, words = size(config, "input_encoding_size"), size(config, "vocab_size")
    return {
        "embed.0.weight": (words, word),
        "fc_embed.0.weight": (rnn, size(config, "fc_feat_size")),
        "fc_embed.0.bias": (rnn,),
        **region_embedding_shapes(config, rnn),
        "ctx2att.weight": (attention, rnn),
        "ctx2att.bias": (attention,),
        "core.att_lstm.weight_ih": (4 * rnn, 2 * rnn + word),
        "core.lang_lstm.weight_ih": (4 * rnn, 2 * rnn),
        **{
            f"core.{cell}.{name}": shape
            for cell in ("att_lstm", "lang_lstm")
            for name, shape in (
                ("weight_hh", (4 * rnn, rnn)),
                ("bias_ih", (4 * rnn,)),
                ("bias_hh", (4 * rnn,)),
            )
        },
        **additive_attention_shapes(rnn, attention),
        **word_scores_shapes(words, rnn, size(config, "logit_layers", 1)),
    }
