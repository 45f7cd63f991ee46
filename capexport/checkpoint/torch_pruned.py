"""Weights under torch.nn.utils.prune, `X_orig` and `X_mask`, into weights with exact zeros."""

from collections.abc import Mapping

import torch
from torch import Tensor

from capexport.errors import CheckpointError

ORIGINAL, MASK = "_orig", "_mask"


def fold_masks(tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """`X_orig` * `X_mask` becomes `X`; everything else comes back as it is.

    Raises:
        CheckpointError: one without the other, two shapes, or a mask of values other than 0 and 1.
    """
    folded = {}
    for name, tensor in tensors.items():
        if name.endswith(ORIGINAL):
            stem = name.removesuffix(ORIGINAL)
            keep = _kept(tensors.get(stem + MASK), tensor, f"{where}: {stem}{MASK}")
            folded[stem] = torch.where(keep, tensor, 0.0)
        elif not name.endswith(MASK):
            folded[name] = tensor
        elif name.removesuffix(MASK) + ORIGINAL not in tensors:
            raise _wrong("a pruning mask has no weight", f"{where}: {name}")
    return folded


def _kept(mask: Tensor | None, weight: Tensor, where: str) -> Tensor:
    if mask is None:
        raise _wrong("a pruned weight has no mask", where)
    if mask.shape != weight.shape:
        raise _wrong(
            f"a pruning mask has shape {tuple(mask.shape)}, its weight {tuple(weight.shape)}", where
        )
    if not torch.logical_or(mask == 0, mask == 1).all():
        raise _wrong("a pruning mask holds values other than 0 and 1", where)
    return mask == 1


def _wrong(what: str, where: str) -> CheckpointError:
    return CheckpointError(
        what, where=where, hint="call torch.nn.utils.prune.remove on each layer and save again"
    )
