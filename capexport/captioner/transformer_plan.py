"""Sizes of a transformer and what its layers share, whatever its trainer calls them."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from capexport.captioner.attention import ROLES, entries
from capexport.captioner.options import Config, choice, size
from capexport.errors import CheckpointError, UnsupportedError
from capexport.spec.signature import APPENDED, BEAMS, REGIONS, StateSpec, TensorSpec

Weights = Mapping[str, Tensor]
Shapes = dict[str, tuple[int, ...]]

POSITIONS = 5000
"""Rows of the trainers' position table; a captioner keeps the first `steps` of them."""


@dataclass(frozen=True)
class TransformerPlan:
    """Everything that fixes the shapes of a transformer captioner.

    Args:
        width, inner, heads: of a layer, of its feed-forward part, of its attention.
        encoder, decoder: for each layer the number of its weights: layers of one number share
            all of them (ACORT, Tan, Chan and Chuah 2022), and in the decoder one cache.
        share_encoder, share_decoder: what the projections of an attention share, see
            `attention.ROLES`.
        steps: most words of a caption.
    """

    width: int
    inner: int
    heads: int
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    share_encoder: str | None
    share_decoder: str | None
    steps: int

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise CheckpointError(
                f"a width of {self.width} does not divide into {self.heads} heads",
                where="configuration: d_model",
                hint="use the configuration that the trainer wrote next to the weights",
            )

    @property
    def caches(self) -> tuple[StateSpec, ...]:
        """Keys and values of each group of decoder layers; one for both where they are shared."""
        kinds = ("keys_values",) if self.share_decoder == "kv" else ("keys", "values")
        return tuple(
            StateSpec(
                f"{kind}_{group}",
                (BEAMS, self.steps * rows, self.width),
                update=APPENDED,
                rows=rows,
            )
            for group, rows in group_sizes(self.decoder).items()
            for kind in kinds
        )

    @property
    def memory(self) -> tuple[TensorSpec, ...]:
        """The image's keys and values for each group of decoder layers, split into heads."""
        part = self.width // self.heads
        return tuple(
            spec
            for group in group_sizes(self.decoder)
            for spec in (
                TensorSpec(f"cross_keys_{group}", (self.heads, part, REGIONS)),
                TensorSpec(f"cross_values_{group}", (self.heads, REGIONS, part)),
            )
        )


def shared_plan(config: Config, steps: int) -> TransformerPlan:
    """The plan of a sparse-image-captioning model.

    Raises:
        CheckpointError: a size is missing or no positive number.
        UnsupportedError: weights are shared in a way that is not known.
    """
    return TransformerPlan(
        width=size(config, "d_model"),
        inner=size(config, "dim_feedforward"),
        heads=size(config, "num_heads"),
        encoder=_groups(config, "share_layer_encoder"),
        decoder=_groups(config, "share_layer_decoder"),
        share_encoder=choice(config, "share_att_encoder", tuple(ROLES), None),
        share_decoder=choice(config, "share_att_decoder", tuple(ROLES), None),
        steps=steps,
    )


def _groups(config: Config, key: str) -> tuple[int, ...]:
    """Group of each layer; without sharing each layer is one of its own."""
    layers, groups = size(config, "num_layers"), config.get(key)
    if groups is None:
        return tuple(range(layers))
    if not isinstance(groups, list) or len(groups) != layers or set(map(type, groups)) != {int}:
        raise UnsupportedError(
            f"{key} is {str(groups)[:40]}",
            where=f"configuration: {key}",
            hint=f"capexport reads a list of {layers} whole numbers",
        )
    return tuple(groups)


def group_sizes(groups: tuple[int, ...]) -> dict[int, int]:
    """Layers of each group, groups in the order of their first layer."""
    return {group: groups.count(group) for group in dict.fromkeys(groups)}


def below(weights: Weights, prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix` and a dot, without it."""
    start = prefix + "."
    return {name.removeprefix(start): t for name, t in weights.items() if name.startswith(start)}


def shared_layers_differ(weights: Weights, side: str, groups: tuple[int, ...]) -> str | None:
    """Name of a tensor of `side` ("encoder") that differs between layers of one group, if any."""
    for layer, group in enumerate(groups):
        first = below(weights, f"{side}.layers.{groups.index(group)}")
        for name, tensor in below(weights, f"{side}.layers.{layer}").items():
            if not tensor.equal(first[name]):
                return f"{side}.layers.{layer}.{name}"
    return None


def transformer_shapes(plan: TransformerPlan, vocabulary: int) -> Shapes:
    """Every tensor below the trainers' `model.`, without what a kind of encoder adds."""
    shapes = {
        "tgt_embed.0.lut.weight": (vocabulary, plan.width),
        "tgt_embed.1.pe": (1, POSITIONS, plan.width),
        **_linear("generator.proj", vocabulary, plan.width),
    }
    sides = (
        ("encoder", plan.encoder, ("self_attn",), plan.share_encoder),
        ("decoder", plan.decoder, ("self_attn", "src_attn"), plan.share_decoder),
    )
    for side, groups, attentions, share in sides:
        shapes |= _norm(f"{side}.norm", plan.width)
        for layer in range(len(groups)):
            shapes |= _layer(f"{side}.layers.{layer}", plan, attentions, share)
    return shapes


def _layer(
    name: str, plan: TransformerPlan, attentions: tuple[str, ...], share: str | None
) -> Shapes:
    shapes = {
        **_linear(f"{name}.feed_forward.w_1", plan.inner, plan.width),
        **_linear(f"{name}.feed_forward.w_2", plan.width, plan.inner),
    }
    for attention in attentions:
        for i in range(entries(share)):
            shapes |= _linear(f"{name}.{attention}.linears.{i}", plan.width, plan.width)
    for i in range(len(attentions) + 1):
        shapes |= _norm(f"{name}.sublayer.{i}.norm", plan.width)
    return shapes


def _linear(name: str, rows: int, columns: int) -> Shapes:
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.a_2": (width,), f"{name}.b_2": (width,)}
