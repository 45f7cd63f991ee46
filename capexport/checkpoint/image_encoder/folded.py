"""capexport's own file of an image encoder: a .safetensors of convolutions by name, compact.

Batch norm is folded: a layer has `<name>.weight` and `<name>.bias`. The metadata say which encoder
of the table it is. Weights are in the forms of `capexport_format`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capexport.checkpoint.limits import Limits
from capexport.errors import CheckpointError, InputError
from capexport.outputs import check_output, whole_file

if TYPE_CHECKING:
    from torch import Tensor

    from capexport.checkpoint.capexport_format.compact import Storage

FORMAT = "capexport-image-encoder"
ENCODER = "encoder"
"""Key of the metadata that names the encoder."""
HEADER_LENGTH = 8
"""Bytes that hold the length of a .safetensors header, little-endian."""


def encoder_name(data: bytes) -> str | None:
    """The encoder that a .safetensors file says it holds; None for a file of another kind."""
    length = int.from_bytes(data[:HEADER_LENGTH], "little")
    try:
        header = json.loads(data[HEADER_LENGTH : HEADER_LENGTH + length])
        metadata: Any = header.get("__metadata__", {})
        return str(metadata[ENCODER]) if metadata.get("format") == FORMAT else None
    except (AttributeError, LookupError, RecursionError, ValueError):
        return None  # whatever it is, its reader will say so


def read_folded(data: bytes, where: str, limits: Limits) -> "dict[str, Tensor]":
    """Weights and biases by name, float32 and dense.

    Raises:
        CheckpointError: the file is damaged, or declares more elements than `limits` allow.
    """
    import safetensors.torch
    from safetensors import SafetensorError

    from capexport.checkpoint.capexport_format.compact import expanded
    from capexport.checkpoint.tensors import check_elements

    try:
        stored: dict[str, Tensor] = safetensors.torch.load(data)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"the weights are damaged: {str(error)[:200]}", where=where, hint="write them again"
        ) from error
    check_elements(stored, where, limits)
    return expanded(stored, where, limits)


def write_image_encoder(
    out: Path,
    encoder: str,
    weights: "Mapping[str, Tensor]",
    *,
    storage: "Storage" = "float32",
    force: bool = False,
) -> None:
    """Write the file; nothing appears at `out` before it is whole. It depends on the weights alone.

    Args:
        encoder: its name in the table of encoders.
        weights: `<layer>.weight` [out, in / groups, height, width] and `<layer>.bias` [out].
        storage: of the convolutions, as `write_checkpoint` takes it.

    Raises:
        InputError: see `check_encoder_target`; or the file cannot be written.
        UnsupportedError: a weight is beyond the range of `storage`.
    """
    import safetensors.torch

    from capexport.checkpoint.capexport_format.compact import compacted

    check_encoder_target(out, force=force)
    stored = {n: t.contiguous().clone() for n, t in compacted(weights, storage).items()}
    data = safetensors.torch.save(stored, {"format": FORMAT, ENCODER: encoder})
    try:
        with whole_file(out) as beside:
            beside.write_bytes(data)
    except OSError as error:
        raise InputError(
            f"the encoder cannot be written: {error.strerror}",
            where=str(out),
            hint="check free space and permissions of the folder",
        ) from error


def check_encoder_target(out: Path, *, force: bool) -> None:
    """InputError unless `write_image_encoder` may write there: a .safetensors in a folder."""
    if out.suffix != ".safetensors":
        raise InputError(
            "an image encoder is written as a .safetensors file",
            where=str(out),
            hint=f"{out.name}.safetensors",
        )
    check_output(out, force=force)
