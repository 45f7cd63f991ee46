"""An architecture's sizes -> an untrained checkpoint."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from capexport.captioner import ARCHITECTURES
from capexport.captioner.encoders import ENCODERS
from capexport.captioner.encoders import expected_shapes as encoder_shapes
from capexport.captioner.encoders.table import EncoderArchitecture
from capexport.checkpoint import IMAGE_ENCODER, Checkpoint, sine_table
from capexport.errors import UnsupportedError
from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import Vocabulary

OWN_LINEAGE = "capexport"
SPREADS = {2: 3.0, 4: 6.0}
"""Square of the largest weight times its row's inputs: of a matrix, and of a convolution."""


def untrained(
    architecture: str,
    config: Mapping[str, Any],
    vocabulary: Vocabulary,
    decoding: Decoding,
    seed: int,
) -> Checkpoint:
    """Random weights in the shapes that the architecture expects for `config`.

    Matrices are uniform within +-sqrt(3 / inputs), which keeps the variance of what they are
    applied to; norms start as the identity, biases at zero, those of an LSTM's forget gate at one.

    Raises:
        UnsupportedError: no such architecture, or one with a vision tower.
    """
    supported = [name for name, known in ARCHITECTURES.items() if not known.takes_pictures]
    if architecture not in supported:
        raise UnsupportedError(
            f"no architecture {architecture!r} can be trained from nothing",
            where="architecture of the recipe",
            hint=f"these can: {', '.join(supported)}",
        )
    shell = Checkpoint(
        path=Path(architecture),
        weights_file="",
        lineage=OWN_LINEAGE,
        architecture=architecture,
        config=dict(config),
        tensors={},
        vocabulary=vocabulary,
        decoding=decoding,
        bytes_on_disk=0,
        sha256={},
    )
    generator = torch.Generator().manual_seed(seed)
    shapes = ARCHITECTURES[architecture].expected_shapes(shell)
    return with_tensors(shell, {n: _initial(n, s, generator) for n, s in shapes.items()})


def with_untrained_encoder(checkpoint: Checkpoint, name: str, seed: int) -> Checkpoint:
    """The captioner with an image encoder of its own, of random weights.

    Convolutions are uniform within +-sqrt(6 / inputs), for the ReLU behind them (He et al., 2015).

    Raises:
        UnsupportedError: no such encoder, or one whose weights have no names.
    """
    image = trainable_encoder(name).image
    generator = torch.Generator().manual_seed(seed)
    weights = {
        IMAGE_ENCODER + key: _initial(key, shape, generator)
        for key, shape in encoder_shapes(name).items()
    }
    whole = with_tensors(checkpoint, {**checkpoint.tensors, **weights})
    return replace(whole, image_encoder=name, image=image)


def trainable_encoder(name: str) -> EncoderArchitecture:
    """The encoder of that name; UnsupportedError unless its weights have names to train them by."""
    encoder = ENCODERS.get(name)
    if encoder is None or encoder.listed:
        known = [name for name, encoder in ENCODERS.items() if not encoder.listed]
        raise UnsupportedError(
            f"no image encoder {name!r} can be trained",
            where="image_encoder of the recipe",
            hint=f"these can: {', '.join(known)}",
        )
    return encoder


def with_tensors(checkpoint: Checkpoint, tensors: Mapping[str, Tensor]) -> Checkpoint:
    """The same model with other weights."""
    fields = {**vars(checkpoint), "tensors": tensors}
    return Checkpoint(**fields)


def _initial(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    if len(shape) in SPREADS:
        # TensorFlow's kernels are inputs x outputs
        inputs = shape[0] if name.endswith("/kernel") else math.prod(shape[1:])
        return _uniform(shape, (SPREADS[len(shape)] / inputs) ** 0.5, generator)
    if name.endswith(".pe"):
        return sine_table(*shape[1:])
    if name.endswith("attention_v"):
        return _uniform(shape, (3 / shape[0]) ** 0.5, generator)
    if name.endswith(("norm.a_2", ".weight", ".running_var")):
        return torch.ones(shape)
    bias = torch.zeros(shape)
    if name.endswith("lstm.bias_ih"):
        width = shape[0] // 4
        bias[width : 2 * width] = 1  # gates i, f, g, o
    return bias


def _uniform(shape: tuple[int, ...], spread: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(shape, generator=generator) * 2 - 1) * spread
