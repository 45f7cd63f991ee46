"""Weights and pruning masks into weights with exact zeros."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from capexport.errors import CheckpointError, UnsupportedError

SUFFIX = "_pruning_mask"
SUPERMASK = "supermask"
BINARY = ("mask_freeze", "snip")
BINARY_PREFIXES = ("mag_", "lottery_")


def split_masks(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The weights, and the masks under the names of the weights that they belong to."""
    weights = {name: t for name, t in tensors.items() if not name.endswith(SUFFIX)}
    masks = {n.removesuffix(SUFFIX): t for n, t in tensors.items() if n.endswith(SUFFIX)}
    return weights, masks


def apply_masks(
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    config: Mapping[str, Any],
    where: str,
) -> dict[str, Tensor]:
    """The effective weights: an element whose mask says "pruned" becomes exactly 0.

    Files without masks come back as they are: the trainer zeroed them already.

    Raises:
        CheckpointError: a mask without its weight, of another shape, or of impossible values.
        UnsupportedError: masks of a pruning method that is not known.
    """
    effective = dict(weights)
    for name, mask in masks.items():
        place = f"{where}: {name}{SUFFIX}"
        _check_fits(mask, weights.get(name), place)
        keep = _kept(mask, config.get("prune_type"), place)
        effective[name] = torch.where(keep, weights[name], 0.0)
    return effective


def _check_fits(mask: Tensor, weight: Tensor | None, where: str) -> None:
    if weight is None:
        raise CheckpointError(
            "a pruning mask has no weight", where=where, hint="the file is incomplete: use another"
        )
    if weight.shape != mask.shape:
        raise CheckpointError(
            f"a pruning mask has shape {tuple(mask.shape)}, its weight {tuple(weight.shape)}",
            where=where,
            hint="the mask is left over from another model: use another file",
        )


def _kept(mask: Tensor, prune_type: object, where: str) -> Tensor:
    if torch.isnan(mask).any():
        raise CheckpointError("a pruning mask holds NaN", where=where, hint="use another file")
    if prune_type == SUPERMASK:
        # The trainer rounds the float32 sigmoid half to even: .5 and what rounds to it is pruned.
        # Comparing the logit with 0 would keep 1e-9. Masks of 0 and 1 come out as they were.
        return torch.sigmoid(mask) > 0.5
    if not _is_binary(prune_type):
        raise UnsupportedError(
            f"the pruning method {str(prune_type)[:40]!r} is not known (config key prune_type)",
            where=where,
            hint="use the trainer's model_best_pruned*.pth, which needs no masks",
        )
    if not torch.logical_or(mask == 0, mask == 1).all():
        raise CheckpointError(
            f"a {prune_type} mask holds values other than 0 and 1",
            where=where,
            hint="prune_type in config.json does not belong to these weights",
        )
    return mask == 1


def _is_binary(prune_type: object) -> bool:
    """Methods whose masks the trainer multiplies with as they are."""
    return isinstance(prune_type, str) and (
        prune_type in BINARY or prune_type.startswith(BINARY_PREFIXES)
    )
