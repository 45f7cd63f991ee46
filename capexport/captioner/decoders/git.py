"""GIT (Wang et al. 2022) as transformers saves it: one BERT over the image's tokens and the words.

The image's tokens see one another but no word, so that their keys and values in every layer are the
encoder's to compute.
"""

from torch import Tensor, nn

from capexport.captioner.bert import (
    BertEmbedding,
    BertFeedForward,
    Config,
    attention_shapes,
    embedding_shapes,
    feed_forward_shapes,
)
from capexport.captioner.cached_signature import cached_signature
from capexport.captioner.cached_step import CachedStep
from capexport.captioner.expected_shapes import Shapes, affine, norm
from capexport.captioner.pretrained_layers import (
    LayerNorm,
    PrefixedSelfAttention,
    Weights,
    attend,
    join_heads,
    linear,
    split_heads,
)
from capexport.captioner.vision_tower import (
    TowerNames,
    image_tokens,
    tower_shapes,
    vision_tower,
)
from capexport.captioner.vision_transformer import VisionTransformer
from capexport.checkpoint import Checkpoint
from capexport.spec.signature import CaptionerSignature

VISION = "git.image_encoder.vision_model"
TOWER = TowerNames(
    class_token=f"{VISION}.embeddings.class_embedding",
    patches=f"{VISION}.embeddings.patch_embedding",
    positions=f"{VISION}.embeddings.position_embedding.weight",
    layers=f"{VISION}.encoder.layers",
    qkv=tuple(f"self_attn.{part}_proj" for part in "qkv"),
    out="self_attn.out_proj",
    attention_norm="layer_norm1",
    inner="mlp.fc1",
    outer="mlp.fc2",
    norm="layer_norm2",
    post_norm=f"{VISION}.post_layernorm",
    pre_norm=f"{VISION}.pre_layrnorm",
    batched=False,
    patch_bias=False,
)
PROJECTION = "git.visual_projection.visual_projection"
EMBEDDINGS = "git.embeddings"
QKV = ("query", "key", "value")


class GitImageLayer(nn.Module):
    """A layer over the image's tokens: x [tokens, width] -> x, keys, values.

    Args:
        last: whether nothing reads the layer's result: only keys and values count then.
    """

    def __init__(self, weights: Weights, layer: str, config: Config, *, last: bool) -> None:
        super().__init__()
        attention = f"{layer}.attention"
        self.heads, self.last = config["num_attention_heads"], last
        parts = QKV[1:] if last else QKV
        self.qkv = linear(weights, *(f"{attention}.self.{part}" for part in parts))
        if not last:
            epsilon = config["layer_norm_eps"]
            self.out = linear(weights, f"{attention}.output.dense")
            self.norm = LayerNorm(weights, f"{attention}.output.LayerNorm", epsilon)
            self.feed_forward = BertFeedForward(weights, layer, config)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts = self.qkv(x).chunk(2 if self.last else 3, -1)
        first, *others = (split_heads(part, self.heads) for part in parts)
        if self.last:
            return x, first, others[0]
        key, value = others
        context = self.out(join_heads(attend(first, key, value)))
        return self.feed_forward(self.norm(x + context)), key, value


class GitEncoder(nn.Module):
    """image uint8 [1, side, side, 3] -> keys and values of the image's tokens in every layer."""

    def __init__(self, vision: VisionTransformer, weights: Weights, config: Config) -> None:
        super().__init__()
        self.vision = vision
        self.project = linear(weights, f"{PROJECTION}.0")
        self.norm = LayerNorm(weights, f"{PROJECTION}.1", config["vision"]["layer_norm_eps"])
        text = config["text"]
        count = text["num_hidden_layers"]
        self.layers = nn.ModuleList(
            GitImageLayer(weights, _layer(i), text, last=i == count - 1) for i in range(count)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.norm(self.project(self.vision(image)))
        keys_values: list[Tensor] = []
        for layer in self.layers:
            x, *new = layer(x)
            keys_values += new
        return tuple(keys_values)


class GitTextLayer(nn.Module):
    """Attention to the image and the caption so far, feed-forward."""

    def __init__(self, weights: Weights, layer: str, config: Config) -> None:
        super().__init__()
        attention = f"{layer}.attention"
        self.attention = PrefixedSelfAttention(
            linear(weights, *(f"{attention}.self.{part}" for part in QKV)),
            linear(weights, f"{attention}.output.dense"),
            config["num_attention_heads"],
        )
        epsilon = config["layer_norm_eps"]
        self.norm = LayerNorm(weights, f"{attention}.output.LayerNorm", epsilon)
        self.feed_forward = BertFeedForward(weights, layer, config)

    def forward(
        self,
        x: Tensor,
        mask: Tensor,
        keys: Tensor,
        values: Tensor,
        image_keys: Tensor,
        image_values: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        context, key, value = self.attention(x, keys, values, mask, image_keys, image_values)
        return self.feed_forward(self.norm(x + context)), key, value


def _step(weights: Weights, config: Config, steps: int) -> CachedStep:
    count = config["num_hidden_layers"]
    return CachedStep(
        BertEmbedding(weights, EMBEDDINGS, config, steps),
        (GitTextLayer(weights, _layer(i), config) for i in range(count)),
        linear(weights, "output"),
    )


def git(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature."""
    weights, config = checkpoint.tensors, checkpoint.config
    vision, text = config["vision"], config["text"]
    steps = checkpoint.decoding.max_length
    tower = vision_tower(weights, TOWER, vision, config["pixels"])
    signature = cached_signature(
        side=vision["image_size"],
        image_tokens=image_tokens(vision),
        layers=text["num_hidden_layers"],
        heads=text["num_attention_heads"],
        width=text["hidden_size"],
        steps=steps,
        vocabulary_size=text["vocab_size"],
    )
    return GitEncoder(tower, weights, config), _step(weights, text, steps), signature


def _layer(number: int) -> str:
    return f"git.encoder.layer.{number}"


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor a GIT captioner must hold, by transformers' names."""
    vision, text = checkpoint.config["vision"], checkpoint.config["text"]
    width = text["hidden_size"]
    shapes = {
        **tower_shapes(TOWER, vision),
        **affine(f"{PROJECTION}.0", width, vision["hidden_size"]),
        **norm(f"{PROJECTION}.1", width),
        **embedding_shapes(EMBEDDINGS, text),
        **affine("output", text["vocab_size"], width),
    }
    for layer in map(_layer, range(text["num_hidden_layers"])):
        shapes |= attention_shapes(f"{layer}.attention", width, width)
        shapes |= feed_forward_shapes(layer, text)
    return shapes
