"""A state dictionary's vision transformer, by the names that its architecture gives the parts."""

from dataclasses import dataclass

from capexport.captioner.bert import Config
from capexport.captioner.expected_shapes import Shapes, affine, norm
from capexport.captioner.pretrained_layers import (
    FeedForward,
    LayerNorm,
    SelfAttention,
    Weights,
    activation,
    linear,
)
from capexport.captioner.vision_transformer import (
    PatchEmbedding,
    VisionLayer,
    VisionTransformer,
)
from capexport.checkpoint.normalisation import Normalisation


@dataclass(frozen=True)
class TowerNames:
    """Where the parts lie. Names of a layer's parts come after `LAYERS.NUMBER.`

    Args:
        qkv: the one linear of queries, keys and values, or the three.
        batched: whether class token and positions have leading axes of 1.
        patch_bias: whether the convolution of the patches has one.
        pre_norm: norm of the embeddings, None where there is none.
    """

    class_token: str
    patches: str
    positions: str
    layers: str
    qkv: tuple[str, ...]
    out: str
    attention_norm: str
    inner: str
    outer: str
    norm: str
    post_norm: str
    pre_norm: str | None = None
    batched: bool = True
    patch_bias: bool = True

    def layer(self, number: int, *parts: str) -> list[str]:
        return [f"{self.layers}.{number}.{part}" for part in parts]


def image_tokens(config: Config) -> int:
    """Patches and the class token."""
    return int((config["image_size"] // config["patch_size"]) ** 2 + 1)


def vision_tower(
    weights: Weights, names: TowerNames, config: Config, pixels: Normalisation
) -> VisionTransformer:
    """The module; `config` is the vision half of the checkpoint's."""
    epsilon, width = config["layer_norm_eps"], config["hidden_size"]
    return VisionTransformer(
        PatchEmbedding(
            weights[f"{names.patches}.weight"],
            weights.get(f"{names.patches}.bias"),
            config["image_size"],
            pixels,
        ),
        weights[names.class_token].flatten(),
        weights[names.positions].reshape(-1, width),
        [_layer(weights, names, i, config) for i in range(config["num_hidden_layers"])],
        LayerNorm(weights, names.post_norm, epsilon),
        LayerNorm(weights, names.pre_norm, epsilon) if names.pre_norm else None,
    )


def _layer(weights: Weights, names: TowerNames, number: int, config: Config) -> VisionLayer:
    attention_norm, out, norm_, inner, outer = names.layer(
        number, names.attention_norm, names.out, names.norm, names.inner, names.outer
    )
    qkv = linear(weights, *names.layer(number, *names.qkv))
    return VisionLayer(
        LayerNorm(weights, attention_norm, config["layer_norm_eps"]),
        SelfAttention(qkv, linear(weights, out), config["num_attention_heads"]),
        LayerNorm(weights, norm_, config["layer_norm_eps"]),
        FeedForward(
            linear(weights, inner), activation(config["hidden_act"]), linear(weights, outer)
        ),
    )


def tower_shapes(names: TowerNames, config: Config) -> Shapes:
    """Every tensor of the tower."""
    width, patch = config["hidden_size"], config["patch_size"]
    leading = 1 if names.batched else 0
    shapes: Shapes = {
        names.class_token: (1,) * 2 * leading + (width,),
        names.positions: (1,) * leading + (image_tokens(config), width),
        f"{names.patches}.weight": (width, 3, patch, patch),
        **norm(names.post_norm, width),
    }
    if names.patch_bias:
        shapes[f"{names.patches}.bias"] = (width,)
    if names.pre_norm:
        shapes |= norm(names.pre_norm, width)
    for number in range(config["num_hidden_layers"]):
        shapes |= _layer_shapes(names, number, width, config["intermediate_size"])
    return shapes


def _layer_shapes(names: TowerNames, number: int, width: int, inner: int) -> Shapes:
    shapes: Shapes = {}
    for name in names.layer(number, names.attention_norm, names.norm):
        shapes |= norm(name, width)
    for name in names.layer(number, *names.qkv):
        shapes |= affine(name, 3 * width // len(names.qkv), width)
    out, first, second = names.layer(number, names.out, names.inner, names.outer)
    return {
        **shapes,
        **affine(out, width, width),
        **affine(first, inner, width),
        **affine(second, width, inner),
    }
