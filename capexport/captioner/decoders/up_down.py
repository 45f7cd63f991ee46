"""Up-Down (Anderson et al., CVPR 2018) as trained by sparse-image-captioning: two LSTMs, attention.

Everything that does not depend on the token is in the encoder. That includes the image vector's
share of the attention LSTM's gates, a third of its input weights, which the trainers compute anew
for every word.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Dropout, Embedding, Linear, lstm_cell
from capexport.checkpoint import Checkpoint
from capexport.errors import UnsupportedError
from capexport.spec.signature import BEAMS, REGIONS, CaptionerSignature, StateSpec, TensorSpec

Weights = Mapping[str, Tensor]


class UpDownEncoder(nn.Module):
    """Region features -> what every decoder step reads.

    att [regions, features], fc [1, features] ->
    values [regions, rnn], keys [regions, attention], fc_gates [1, 4 * rnn]
    """

    def __init__(self, weights: Weights, rnn: int) -> None:
        super().__init__()
        weight_ih = weights["core.att_lstm.weight_ih"]
        both_biases = weights["core.att_lstm.bias_ih"] + weights["core.att_lstm.bias_hh"]
        self.fc_embed = Linear(weights["fc_embed.0.weight"], weights["fc_embed.0.bias"])
        self.att_embed = Linear(weights["att_embed.0.weight"], weights["att_embed.0.bias"])
        self.ctx2att = Linear(weights["ctx2att.weight"], weights["ctx2att.bias"])
        self.att_lstm_fc = Linear(weight_ih[:, rnn : 2 * rnn], both_biases)
        self.drop = Dropout()

    def forward(self, att: Tensor, fc: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        values = self.drop(F.relu(self.att_embed(att)))
        fc_gates = self.att_lstm_fc(self.drop(F.relu(self.fc_embed(fc))))
        return values, self.ctx2att(values), fc_gates


class UpDownStep(nn.Module):
    """One word for every beam.

    token [beams], h_att, h_lang, c_att, c_lang [beams, rnn], values, keys, fc_gates ->
    log_probs [beams, vocabulary], the four states after the step

    The attention score is a weighted sum, not a linear layer: the result needs no squeeze, and the
    one row of alpha_net stays float. Its bias cancels in the softmax and is left out.
    """

    alpha: Tensor

    def __init__(self, weights: Weights, rnn: int) -> None:
        super().__init__()
        att_ih = weights["core.att_lstm.weight_ih"]
        lang_bias = weights["core.lang_lstm.bias_ih"] + weights["core.lang_lstm.bias_hh"]
        self.embed = Embedding(weights["embed.0.weight"])
        self.att_lstm_ih = Linear(torch.cat([att_ih[:, :rnn], att_ih[:, 2 * rnn :]], 1))
        self.att_lstm_hh = Linear(weights["core.att_lstm.weight_hh"])
        self.h2att = Linear(
            weights["core.attention.h2att.weight"], weights["core.attention.h2att.bias"]
        )
        self.register_buffer("alpha", weights["core.attention.alpha_net.weight"][0].contiguous())
        self.lang_lstm_ih = Linear(weights["core.lang_lstm.weight_ih"], lang_bias)
        self.lang_lstm_hh = Linear(weights["core.lang_lstm.weight_hh"])
        self.logit = Linear(weights["logit.weight"], weights["logit.bias"])
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
        context = self.attend(h_att, values, keys)
        gates = self.lang_lstm_ih(torch.cat([context, h_att], -1)) + self.lang_lstm_hh(h_lang)
        h_lang, c_lang = lstm_cell(gates, c_lang)
        return F.log_softmax(self.logit(self.drop(h_lang)), -1), h_att, h_lang, c_att, c_lang

    def attend(self, h: Tensor, values: Tensor, keys: Tensor) -> Tensor:
        """Additive attention: h [beams, rnn] -> context [beams, rnn]."""
        hidden = torch.tanh(keys + self.h2att(h).unsqueeze(1))  # [beams, regions, attention]
        scores = (hidden * self.alpha).sum(-1)
        return torch.matmul(F.softmax(scores, -1), values)


def up_down(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature; UnsupportedError for two widths of features."""
    config, weights = checkpoint.config, checkpoint.tensors
    rnn, attention = config["rnn_size"], config["att_hid_size"]
    features = config["att_feat_size"]
    if config["fc_feat_size"] != features:
        raise UnsupportedError(
            f"fc features of {config['fc_feat_size']} numbers beside att features of {features}",
            where="config.json: fc_feat_size",
            hint="a features file has one width for both: train with equal sizes",
        )
    signature = CaptionerSignature(
        inputs=(TensorSpec("att", (REGIONS, features)), TensorSpec("fc", (1, features))),
        memory=(
            TensorSpec("values", (REGIONS, rnn)),
            TensorSpec("keys", (REGIONS, attention)),
            TensorSpec("fc_gates", (1, 4 * rnn)),
        ),
        states=tuple(
            StateSpec(name, (BEAMS, rnn)) for name in ("h_att", "h_lang", "c_att", "c_lang")
        ),
        vocabulary_size=weights["logit.weight"].shape[0],
    )
    return UpDownEncoder(weights, rnn), UpDownStep(weights, rnn), signature


def expected_shapes(checkpoint: Checkpoint) -> dict[str, tuple[int, ...]]:
    """Every tensor an Up-Down checkpoint must hold, by the trainer's names."""
    config = checkpoint.config
    rnn, word, attention = (
        config["rnn_size"],
        config["input_encoding_size"],
        config["att_hid_size"],
    )
    vocabulary = config["vocab_size"]
    return {
        "embed.0.weight": (vocabulary, word),
        "fc_embed.0.weight": (rnn, config["fc_feat_size"]),
        "fc_embed.0.bias": (rnn,),
        "att_embed.0.weight": (rnn, config["att_feat_size"]),
        "att_embed.0.bias": (rnn,),
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
        "core.attention.h2att.weight": (attention, rnn),
        "core.attention.h2att.bias": (attention,),
        "core.attention.alpha_net.weight": (1, attention),
        "core.attention.alpha_net.bias": (1,),
        "logit.weight": (vocabulary, rnn),
        "logit.bias": (vocabulary,),
    }
