"""Convolutions by their layers' names, batch norm folded: out of an encoder, and into one."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from capexport.captioner.encoders.convolution import Convolution
from capexport.captioner.encoders.sources import StateDictionary
from capexport.captioner.encoders.table import EncoderArchitecture
from capexport.errors import CheckpointError


def folded_weights(module: nn.Module) -> dict[str, Tensor]:
    """`<layer>.weight` [out, in / groups, height, width], `<layer>.bias` [out] of an encoder."""
    return {
        f"{layer.name}.{part}": getattr(layer, part)
        for layer in module.modules()
        if isinstance(layer, Convolution)
        for part in ("weight", "bias")
    }


def folded_body(
    encoder: EncoderArchitecture, weights: Mapping[str, Tensor], where: str
) -> nn.Module:
    """The encoder's layers around such weights, differentiable in them.

    Raises:
        CheckpointError: a layer is missing, left over or of another shape.
    """
    source = StateDictionary(weights, where, eps=encoder.eps, same=encoder.same or encoder.listed)
    body = encoder.build(lambda layer: source.take(replace(layer, norm=None)))
    taken = {layer.name for layer in body.modules() if isinstance(layer, Convolution)}
    if surplus := sorted(key for key in weights if key.rpartition(".")[0] not in taken):
        raise CheckpointError(
            f"{surplus[0]} is no weight of this encoder", where=where, hint="name another encoder"
        )
    return body
