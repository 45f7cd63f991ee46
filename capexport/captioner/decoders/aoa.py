"""AoANet (Huang et al., ICCV 2019): attention whose result is gated by what asked for it.

As AoANet and ImageCaptioning.pytorch train it with the published options. The encoder refines the
regions by six layers of self-attention and projects them to the decoder's keys and values.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Dropout, Embedding, Linear, UnbiasedNorm, glu, lstm_cell
from capexport.captioner.options import Config, choice, size
from capexport.captioner.region_embedding import (
    RegionEmbedding,
    Shapes,
    Weights,
    region_embedding_shapes,
)
from capexport.captioner.word_scores import WordScores, word_scores_shapes
from capexport.checkpoint import Checkpoint
from capexport.errors import UnsupportedError
from capexport.spec.signature import BEAMS, REGIONS, CaptionerSignature, StateSpec, TensorSpec

REFINER_LAYERS = 6
"""Not an option of the trainers."""
DEFAULT_HEADS = 8
PUBLISHED = {
    "refine": 1,
    "refine_aoa": 1,
    "use_ff": 0,
    "decoder_type": "AoA",
    "use_multi_head": 2,
    "multi_head_scale": 1,
    "mean_feats": 1,
}
"""Options of the published training script. Any other value builds another network."""


class RefinerLayer(nn.Module):
    """x [regions, width] -> x + GLU(attention of the normed x, the normed x)."""

    def __init__(self, weights: Weights, layer: int, heads: int) -> None:
        super().__init__()
        name = f"refiner.layers.{layer}"
        self.heads = heads
        self.norm = _norm(weights, f"{name}.sublayer.0.norm")
        self.query = _query(weights, f"{name}.self_attn.linears.0", heads)
        self.key = _linear(weights, f"{name}.self_attn.linears.1")
        self.value = _linear(weights, f"{name}.self_attn.linears.2")
        self.aoa = _linear(weights, f"{name}.self_attn.aoa_layer.0")

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        query, key, value = (
            split_heads(project(y), self.heads) for project in (self.query, self.key, self.value)
        )
        return x + glu(self.aoa(torch.cat([attend(query, key, value), y], -1)))


class AoaEncoder(nn.Module):
    """att [regions, features] -> keys, values [heads, regions, width / heads], mean [1, width].

    ctx2att gives the values first and then the keys.
    """

    def __init__(self, weights: Weights, config: Config) -> None:
        super().__init__()
        self.heads = _heads(config)
        self.att_embed = RegionEmbedding(weights, config)
        self.layers = nn.ModuleList(
            [RefinerLayer(weights, i, self.heads) for i in range(REFINER_LAYERS)]
        )
        self.norm = _norm(weights, "refiner.norm")
        self.ctx2att = _linear(weights, "ctx2att")

    def forward(self, att: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.att_embed(att)
        for layer in self.layers:
            x = layer(x)
        x = self.norm(x)
        values, keys = self.ctx2att(x).chunk(2, -1)
        return split_heads(keys, self.heads), split_heads(values, self.heads), x.mean(0, True)


class AoaStep(nn.Module):
    """One word for every beam.

    token [beams], h, c, context [beams, width], keys, values, mean ->
    log_probs [beams, vocabulary], the three states after the step
    """

    def __init__(self, weights: Weights, config: Config) -> None:
        super().__init__()
        self.heads = _heads(config)
        self.adds_hidden = bool(choice(config, "out_res", (0, 1), 0))
        self.embed = Embedding(weights["embed.0.weight"])
        both_biases = weights["core.att_lstm.bias_ih"] + weights["core.att_lstm.bias_hh"]
        self.lstm_ih = Linear(weights["core.att_lstm.weight_ih"], both_biases)
        self.lstm_hh = Linear(weights["core.att_lstm.weight_hh"])
        self.norm = _norm(weights, "core.attention.norm")
        self.query = _query(weights, "core.attention.linears.0", self.heads)
        self.att2ctx = _linear(weights, "core.att2ctx.0")
        self.logit = WordScores(weights, size(config, "logit_layers", 1))
        self.drop = Dropout()

    def forward(
        self,
        token: Tensor,
        h: Tensor,
        c: Tensor,
        context: Tensor,
        keys: Tensor,
        values: Tensor,
        mean: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        word = self.drop(F.relu(self.embed(token)))
        x = torch.cat([word, mean + self.drop(context)], -1)
        h, c = lstm_cell(self.lstm_ih(x) + self.lstm_hh(h), c)
        attended = attend(split_heads(self.query(self.norm(h)), self.heads), keys, values)
        context = glu(self.att2ctx(torch.cat([attended, h], -1)))
        return self.logit(context + h if self.adds_hidden else context), h, c, context


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[rows, width] -> [heads, rows, width / heads]."""
    rows_first: Tensor = torch.unflatten(x, 1, (heads, -1))
    return rows_first.transpose(0, 1)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """query [heads, rows, d], key and value [heads, regions, d] -> [rows, heads * d]."""
    weights = F.softmax(torch.matmul(query, key.transpose(1, 2)), -1)
    return torch.matmul(weights, value).transpose(0, 1).flatten(1)


def _linear(weights: Weights, name: str) -> Linear:
    return Linear(weights[f"{name}.weight"], weights[f"{name}.bias"])


def _query(weights: Weights, name: str, heads: int) -> Linear:
    """The query's projection times 1 / sqrt(width of a head), which the scores would need."""
    factor = (weights[f"{name}.weight"].shape[0] // heads) ** -0.5
    return Linear(weights[f"{name}.weight"] * factor, weights[f"{name}.bias"] * factor)


def _norm(weights: Weights, name: str) -> UnbiasedNorm:
    return UnbiasedNorm(weights[f"{name}.a_2"], weights[f"{name}.b_2"])


def _heads(config: Config) -> int:
    heads = size(config, "num_heads", DEFAULT_HEADS)
    if size(config, "rnn_size") % heads:
        raise UnsupportedError(
            f"{heads} heads do not divide the width {config['rnn_size']}",
            where="configuration: num_heads",
            hint="use the options that the trainer wrote next to the weights",
        )
    return heads


def aoa(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature; UnsupportedError for an option of another network."""
    config, weights = checkpoint.config, checkpoint.tensors
    heads, width = _heads(config), size(config, "rnn_size")
    by_head = (heads, REGIONS, width // heads)
    signature = CaptionerSignature(
        inputs=(TensorSpec("att", (REGIONS, size(config, "att_feat_size"))),),
        memory=(
            TensorSpec("keys", by_head),
            TensorSpec("values", by_head),
            TensorSpec("mean", (1, width)),
        ),
        states=tuple(StateSpec(name, (BEAMS, width)) for name in ("h", "c", "context")),
        vocabulary_size=size(config, "vocab_size"),
    )
    return AoaEncoder(weights, config), AoaStep(weights, config), signature


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor an AoANet checkpoint must hold, by the trainers' names."""
    config = checkpoint.config
    for key, value in PUBLISHED.items():
        choice(config, key, (value,), value)
    width, word = size(config, "rnn_size"), size(config, "input_encoding_size")
    words = size(config, "vocab_size")
    linears = {
        "ctx2att": (2 * width, width),
        "core.att2ctx.0": (2 * width, 2 * width),
        "core.attention.linears.0": (width, width),
    }
    norms = ["refiner.norm", "core.attention.norm"]
    for i in range(REFINER_LAYERS):
        name = f"refiner.layers.{i}"
        linears |= {f"{name}.self_attn.linears.{j}": (width, width) for j in range(3)}
        linears[f"{name}.self_attn.aoa_layer.0"] = (2 * width, 2 * width)
        norms.append(f"{name}.sublayer.0.norm")
    return {
        "embed.0.weight": (words, word),
        **region_embedding_shapes(config, width),
        **{f"{name}.weight": shape for name, shape in linears.items()},
        **{f"{name}.bias": shape[:1] for name, shape in linears.items()},
        **{f"{name}.{part}": (width,) for name in norms for part in ("a_2", "b_2")},
        "core.att_lstm.weight_ih": (4 * width, word + width),
        "core.att_lstm.weight_hh": (4 * width, width),
        "core.att_lstm.bias_ih": (4 * width,),
        "core.att_lstm.bias_hh": (4 * width,),
        **word_scores_shapes(words, width, size(config, "logit_layers", 1)),
    }
