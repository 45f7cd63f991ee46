"""Counts over a checkpoint's weights: sparsity per layer and how small the weights could become."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

FP16_BYTES = 2


@dataclass(frozen=True)
class LayerStatistics:
    """One 2-D weight.

    Args:
        name: key in the state dictionary.
        shape: output x input.
        nnz: elements other than zero.
        sparsity: share of zeros, 0 to 1.
    """

    name: str
    shape: tuple[int, ...]
    nnz: int
    sparsity: float

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


def size_bound(layers: Iterable[LayerStatistics], other_parameters: int, bits: int) -> int:
    """Bytes of the weights with ideally coded positions and plain values of `bits` bits.

    Per 2-D weight of n elements and k non-zeros: n * H(k / n) / 8 for where the non-zeros are
    (H is the binary entropy in bits: an ideal code for an unstructured mask) plus k * bits / 8 for
    their values. Every other parameter (biases, norms) counts as fp16. Scales are left out.
    """
    weights = sum(
        layer.elements * _entropy(layer.nnz / layer.elements) + layer.nnz * bits
        for layer in layers
        if layer.elements
    )
    return math.ceil(weights / 8) + other_parameters * FP16_BYTES


def _entropy(share: float) -> float:
    """Binary entropy in bits."""
    if share in (0.0, 1.0):
        return 0.0
    return -share * math.log2(share) - (1 - share) * math.log2(1 - share)
