"""BLIP (Li et al. 2022) as transformers saves it: a ViT, and a BERT that attends to its tokens."""

from collections.abc import Iterator

from torch import Tensor, nn

from capexport.captioner.bert import (
    BertEmbedding,
    BertFeedForward,
    BertHead,
    Config,
    attention_shapes,
    embedding_shapes,
    feed_forward_shapes,
    head_shapes,
)
from capexport.captioner.cached_signature import cached_signature
from capexport.captioner.cached_step import CachedStep
from capexport.captioner.expected_shapes import Shapes
from capexport.captioner.pretrained_layers import (
    CachedSelfAttention,
    LayerNorm,
    MemoryAttention,
    MemoryKeysValues,
    Weights,
    linear,
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

TOWER = TowerNames(
    class_token="vision_model.embeddings.class_embedding",
    patches="vision_model.embeddings.patch_embedding",
    positions="vision_model.embeddings.position_embedding",
    layers="vision_model.encoder.layers",
    qkv=("self_attn.qkv",),
    out="self_attn.projection",
    attention_norm="layer_norm1",
    inner="mlp.fc1",
    outer="mlp.fc2",
    norm="layer_norm2",
    post_norm="vision_model.post_layernorm",
)
BERT = "text_decoder.bert"
HEAD = "text_decoder.cls.predictions"


class BlipEncoder(nn.Module):
    """image uint8 [1, side, side, 3] -> keys and values of every layer of the decoder."""

    def __init__(self, vision: VisionTransformer, memory: MemoryKeysValues) -> None:
        super().__init__()
        self.vision, self.memory = vision, memory

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        keys_values: tuple[Tensor, ...] = self.memory(self.vision(image))
        return keys_values


class BlipTextLayer(nn.Module):
    """Attention to the caption so far, attention to the image, feed-forward."""

    def __init__(self, weights: Weights, layer: str, config: Config) -> None:
        super().__init__()
        heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
        own, cross = f"{layer}.attention", f"{layer}.crossattention"
        self.attention = CachedSelfAttention(
            linear(weights, *(f"{own}.self.{part}" for part in ("query", "key", "value"))),
            linear(weights, f"{own}.output.dense"),
            heads,
        )
        self.norm = LayerNorm(weights, f"{own}.output.LayerNorm", epsilon)
        self.cross_attention = MemoryAttention(
            linear(weights, f"{cross}.self.query"), linear(weights, f"{cross}.output.dense"), heads
        )
        self.cross_norm = LayerNorm(weights, f"{cross}.output.LayerNorm", epsilon)
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
        context, key, value = self.attention(x, keys, values, mask)
        x = self.norm(x + context)
        x = self.cross_norm(x + self.cross_attention(x, image_keys, image_values))
        return self.feed_forward(x), key, value


def _step(weights: Weights, config: Config, steps: int) -> CachedStep:
    table = f"{BERT}.embeddings.word_embeddings.weight"
    return CachedStep(
        BertEmbedding(weights, f"{BERT}.embeddings", config, steps),
        (BlipTextLayer(weights, layer, config) for layer in _text_layers(config)),
        BertHead(weights, HEAD, table, config),
    )


def blip(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature."""
    weights, config = checkpoint.tensors, checkpoint.config
    vision, text = config["vision"], config["text"]
    heads, steps = text["num_attention_heads"], checkpoint.decoding.max_length
    memory = MemoryKeysValues(
        [
            linear(weights, *(f"{layer}.crossattention.self.{part}" for part in ("key", "value")))
            for layer in _text_layers(text)
        ],
        heads,
    )
    tower = vision_tower(weights, TOWER, vision, config["pixels"])
    signature = cached_signature(
        side=vision["image_size"],
        image_tokens=image_tokens(vision),
        layers=text["num_hidden_layers"],
        heads=heads,
        width=text["hidden_size"],
        steps=steps,
        vocabulary_size=text["vocab_size"],
    )
    return BlipEncoder(tower, memory), _step(weights, text, steps), signature


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor a BLIP captioner must hold, by transformers' names."""
    vision, text = checkpoint.config["vision"], checkpoint.config["text"]
    width = text["hidden_size"]
    shapes = {
        **tower_shapes(TOWER, vision),
        **embedding_shapes(f"{BERT}.embeddings", text),
        **head_shapes(HEAD, text, checkpoint.tensors),
    }
    for layer in _text_layers(text):
        shapes |= attention_shapes(f"{layer}.attention", width, width)
        shapes |= attention_shapes(f"{layer}.crossattention", width, vision["hidden_size"])
        shapes |= feed_forward_shapes(layer, text)
    return shapes


def _text_layers(config: Config) -> Iterator[str]:
    return (f"{BERT}.encoder.layer.{i}" for i in range(config["num_hidden_layers"]))
