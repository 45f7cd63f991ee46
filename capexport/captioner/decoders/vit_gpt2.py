"""ViT and GPT-2 as a VisionEncoderDecoder of transformers: GPT-2 attends to the ViT's tokens."""

from torch import Tensor, nn

from capexport.captioner.bert import Config
from capexport.captioner.blocks import Embedding, Linear
from capexport.captioner.cached_signature import cached_signature
from capexport.captioner.cached_step import CachedStep
from capexport.captioner.expected_shapes import Shapes, affine, norm
from capexport.captioner.pretrained_layers import (
    CachedSelfAttention,
    FeedForward,
    LayerNorm,
    MemoryAttention,
    MemoryKeysValues,
    StepMask,
    Weights,
    activation,
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
    class_token="encoder.embeddings.cls_token",
    patches="encoder.embeddings.patch_embeddings.projection",
    positions="encoder.embeddings.position_embeddings",
    layers="encoder.encoder.layer",
    qkv=tuple(f"attention.attention.{part}" for part in ("query", "key", "value")),
    out="attention.output.dense",
    attention_norm="layernorm_before",
    inner="intermediate.dense",
    outer="output.dense",
    norm="layernorm_after",
    post_norm="encoder.layernorm",
)
GPT2 = "decoder.transformer"
UNTIED = "decoder.lm_head.weight"
"""There only where it is not the word embedding."""
BRIDGE = "enc_to_dec_proj"
"""Projects the ViT's tokens to GPT-2's width, where that is another one."""


class VitGpt2Encoder(nn.Module):
    """image uint8 [1, side, side, 3] -> keys and values of every layer of the decoder."""

    def __init__(
        self, vision: VisionTransformer, bridge: Linear | None, memory: MemoryKeysValues
    ) -> None:
        super().__init__()
        self.vision, self.bridge, self.memory = vision, bridge, memory

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        tokens = self.vision(image)
        if self.bridge is not None:
            tokens = self.bridge(tokens)
        keys_values: tuple[Tensor, ...] = self.memory(tokens)
        return keys_values


class Gpt2Layer(nn.Module):
    """x + attention(norm(x)), x + cross_attention(norm(x)), x + feed_forward(norm(x))."""

    def __init__(self, weights: Weights, layer: str, config: Config) -> None:
        super().__init__()
        epsilon = config["layer_norm_epsilon"]
        self.norm = LayerNorm(weights, f"{layer}.ln_1", epsilon)
        self.attention = CachedSelfAttention(
            _conv1d(weights, f"{layer}.attn.c_attn"),
            _conv1d(weights, f"{layer}.attn.c_proj"),
            config["n_head"],
        )
        self.cross_norm = LayerNorm(weights, f"{layer}.ln_cross_attn", epsilon)
        self.cross_attention = MemoryAttention(
            _conv1d(weights, f"{layer}.crossattention.q_attn"),
            _conv1d(weights, f"{layer}.crossattention.c_proj"),
            config["n_head"],
        )
        self.feed_forward_norm = LayerNorm(weights, f"{layer}.ln_2", epsilon)
        self.feed_forward = FeedForward(
            _conv1d(weights, f"{layer}.mlp.c_fc"),
            activation(config["activation_function"]),
            _conv1d(weights, f"{layer}.mlp.c_proj"),
        )

    def forward(
        self,
        x: Tensor,
        mask: Tensor,
        keys: Tensor,
        values: Tensor,
        image_keys: Tensor,
        image_values: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        context, key, value = self.attention(self.norm(x), keys, values, mask)
        x = x + context
        x = x + self.cross_attention(self.cross_norm(x), image_keys, image_values)
        return x + self.feed_forward(self.feed_forward_norm(x)), key, value


class Gpt2Embedding(nn.Module):
    """token, position -> word plus position [beams, width], and the mask of the cache's rows."""

    def __init__(self, weights: Weights, steps: int) -> None:
        super().__init__()
        self.words = Embedding(weights[f"{GPT2}.wte.weight"])
        self.positions = Embedding(weights[f"{GPT2}.wpe.weight"][:steps])
        self.mask = StepMask(steps)

    def forward(self, token: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        return self.words(token) + self.positions(position), self.mask(position)


def _step(weights: Weights, config: Config, steps: int) -> CachedStep:
    norm = LayerNorm(weights, f"{GPT2}.ln_f", config["layer_norm_epsilon"])
    logits = Linear(weights.get(UNTIED, weights[f"{GPT2}.wte.weight"]))
    return CachedStep(
        Gpt2Embedding(weights, steps),
        (Gpt2Layer(weights, f"{GPT2}.h.{i}", config) for i in range(config["n_layer"])),
        nn.Sequential(norm, logits),
    )


def vit_gpt2(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature."""
    weights, config = checkpoint.tensors, checkpoint.config
    vision, text = config["vision"], config["text"]
    steps = checkpoint.decoding.max_length
    encoder = VitGpt2Encoder(
        vision_tower(weights, TOWER, vision, config["pixels"]),
        linear(weights, BRIDGE) if _is_bridged(vision, text) else None,
        MemoryKeysValues(
            [
                _conv1d(weights, f"{GPT2}.h.{i}.crossattention.c_attn")
                for i in range(text["n_layer"])
            ],
            text["n_head"],
        ),
    )
    signature = cached_signature(
        side=vision["image_size"],
        image_tokens=image_tokens(vision),
        layers=text["n_layer"],
        heads=text["n_head"],
        width=text["n_embd"],
        steps=steps,
        vocabulary_size=text["vocab_size"],
    )
    return encoder, _step(weights, text, steps), signature


def _conv1d(weights: Weights, name: str) -> Linear:
    """GPT-2 stores its weights [in, out]."""
    return Linear(weights[f"{name}.weight"].T, weights[f"{name}.bias"])


def _is_bridged(vision: Config, text: Config) -> bool:
    return bool(vision["hidden_size"] != text["n_embd"])


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor a ViT-GPT-2 captioner must hold, by transformers' names."""
    vision, text = checkpoint.config["vision"], checkpoint.config["text"]
    width = text["n_embd"]
    shapes = {
        **tower_shapes(TOWER, vision),
        f"{GPT2}.wte.weight": (text["vocab_size"], width),
        f"{GPT2}.wpe.weight": (text["n_positions"], width),
        **norm(f"{GPT2}.ln_f", width),
    }
    if UNTIED in checkpoint.tensors:
        shapes[UNTIED] = (text["vocab_size"], width)
    if _is_bridged(vision, text):
        shapes |= affine(BRIDGE, width, vision["hidden_size"])
    for i in range(text["n_layer"]):
        shapes |= _layer_shapes(f"{GPT2}.h.{i}", width, text["n_inner"])
    return shapes


def _layer_shapes(layer: str, width: int, inner: int) -> Shapes:
    shapes: Shapes = {}
    for name in ("ln_1", "ln_2", "ln_cross_attn"):
        shapes |= norm(f"{layer}.{name}", width)
    for name, inputs, outputs in (
        ("attn.c_attn", width, 3 * width),
        ("attn.c_proj", width, width),
        ("crossattention.q_attn", width, width),
        ("crossattention.c_attn", width, 2 * width),
        ("crossattention.c_proj", width, width),
        ("mlp.c_fc", width, inner),
        ("mlp.c_proj", inner, width),
    ):
        shapes |= {f"{layer}.{name}.weight": (inputs, outputs), f"{layer}.{name}.bias": (outputs,)}
    return shapes
