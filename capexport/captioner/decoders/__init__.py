"""Architectures by the name their trainers use: one file each, one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from capexport.captioner.decoders import (
    aoa,
    att2in2,
    blip,
    git,
    newfc,
    relation_transformer,
    show_tell,
    soft_attention,
    transformer,
    up_down,
    vit_gpt2,
)
from capexport.checkpoint import Checkpoint
from capexport.spec.signature import CaptionerSignature


@dataclass(frozen=True)
class Architecture:
    """How to build one captioner.

    Args:
        build: checkpoint -> encoder, decoder step, signature.
        expected_shapes: checkpoint -> shape of every tensor it must hold, no more and no less.
        shares_layers: whether image and words go through the same layers, which encoder and
            decoder step then both hold.
        takes_pictures: whether a vision tower is a part of it, in place of features.
    """

    build: Callable[[Checkpoint], tuple[nn.Module, nn.Module, CaptionerSignature]]
    expected_shapes: Callable[[Checkpoint], Mapping[str, tuple[int, ...]]]
    shares_layers: bool = False
    takes_pictures: bool = False


ARCHITECTURES = {
    "aoa": Architecture(aoa.aoa, aoa.expected_shapes),
    "att2in2": Architecture(att2in2.att2in2, att2in2.expected_shapes),
    "blip": Architecture(blip.blip, blip.expected_shapes, takes_pictures=True),
    "git": Architecture(git.git, git.expected_shapes, True, takes_pictures=True),
    "newfc": Architecture(newfc.newfc, newfc.expected_shapes),
    "relation_transformer": Architecture(
        relation_transformer.relation_transformer, relation_transformer.expected_shapes
    ),
    "show_tell": Architecture(show_tell.show_tell, show_tell.expected_shapes),
    "soft_attention": Architecture(soft_attention.soft_attention, soft_attention.expected_shapes),
    "transformer": Architecture(transformer.transformer, transformer.expected_shapes),
    "up_down_lstm": Architecture(up_down.up_down, up_down.expected_shapes),
    "vit_gpt2": Architecture(vit_gpt2.vit_gpt2, vit_gpt2.expected_shapes, takes_pictures=True),
}
