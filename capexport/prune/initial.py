"""An architecture's sizes -> an untrained checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from capexport.captioner import ARCHITECTURES
from capexport.checkpoint import Checkpoint
from capexport.errors import UnsupportedError
from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import Vocabulary

OWN_LINEAGE = "capexport"


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
        UnsupportedError: no such architecture.
    """
    if architecture not in ARCHITECTURES:
        hint = f"supported: {', '.join(sorted(ARCHITECTURES))}"
        raise UnsupportedError(
            f"there is no architecture {architecture!r}", where="recipe", hint=hint
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


def with_tensors(checkpoint: Checkpoint, tensors: Mapping[str, Tensor]) -> Checkpoint:
    """The same model with other weights."""
    fields = {**vars(checkpoint), "tensors": tensors}
    return Checkpoint(**fields)


def _initial(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    if len(shape) == 2:
        spread: float = (3 / shape[1]) ** 0.5
        return (torch.rand(shape, generator=generator) * 2 - 1) * spread
    if name.endswith(("norm.a_2", "norm.weight")):
        return torch.ones(shape)
    bias = torch.zeros(shape)
    if name.endswith("lstm.bias_ih"):
        width = shape[0] // 4
        bias[width : 2 * width] = 1  # gates i, f, g, o
    return bias
