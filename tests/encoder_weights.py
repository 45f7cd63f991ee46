"""Random weights of image encoders: the same numbers on every machine."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from capexport.captioner.encoders import (
    ENCODERS,
    ImageEncoder,
    build_image_encoder,
    expected_shapes,
)
from capexport.captioner.encoders.convolution import Convolution, Layer
from capexport.captioner.encoders.sources import keys_of
from capexport.checkpoint.image_encoder import EncoderFile, StoredConvolution
from capexport.spec.image import ImageSpec


def random_state(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """A state dictionary of the given keys and shapes whose activations stay near 1.

    numpy promises that the numbers of RandomState never change; Generator's and torch's may.
    """
    random = np.random.RandomState(seed)
    return {key: torch.from_numpy(_values(random, key, shapes[key])) for key in sorted(shapes)}


def _values(random: np.random.RandomState, key: str, shape: tuple[int, ...]) -> np.ndarray:
    normal = random.standard_normal(shape)
    if len(shape) == 4:
        values = normal * np.sqrt(2 / np.prod(shape[1:]))
    elif key.endswith("running_var"):
        values = 0.5 + np.abs(normal)
    elif key.endswith("weight"):  # of a batch norm
        values = 0.7 + 0.2 * normal
    else:
        values = 0.2 * normal
    return values.astype(np.float32)


def random_encoder(name: str, size: int) -> ImageEncoder:
    """An encoder of the table for pictures of that side."""
    listed = ENCODERS[name].listed
    file = listed_file(name) if listed else state_file(random_state(expected_shapes(name)))
    return build_image_encoder(file, name, image=ImageSpec(size, size, short_side=None))


def state_file(weights: dict[str, Tensor]) -> EncoderFile:
    return EncoderFile(Path("weights.pth"), 1, "ab", weights)


def listed_file(name: str) -> EncoderFile:
    """Random convolutions in a row, as the encoder's own layers ask for them."""
    layers: list[Layer] = []

    def take(layer: Layer) -> Convolution:
        layers.append(layer)
        return Convolution(layer, torch.empty(1), torch.empty(1), same=True)

    ENCODERS[name].build(take)
    shapes = {key: shape for layer in layers for key, shape in keys_of(_plain(layer)).items()}
    weights = random_state(shapes)
    return EncoderFile(
        Path("weights.npz"),
        1,
        "ab",
        tuple(
            StoredConvolution(
                weights[f"{layer.name}.weight"],
                weights[f"{layer.name}.bias"],
                layer.groups,
                layer.stride,
                layer.activation,
                layer.name,
            )
            for layer in layers
        ),
    )


def _plain(layer: Layer) -> Layer:
    """The layer with a bias of its own: batch norm is folded in such files."""
    return Layer(layer.name, layer.inputs, layer.outputs, None, layer.kernel, groups=layer.groups)
