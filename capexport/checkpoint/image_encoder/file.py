"""A path into an EncoderFile: its weights, and the digest of exactly the bytes that were read."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capexport.checkpoint.image_encoder.convolutions import StoredConvolution, read_convolutions
from capexport.checkpoint.image_encoder.folded import encoder_name, read_folded
from capexport.checkpoint.limits import DEFAULT_LIMITS, Limits
from capexport.checkpoint.safetensors_file import read_safetensors
from capexport.checkpoint.tensors import read_tensors, require_finite
from capexport.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

STATE_DICTIONARIES = (".pth", ".pt", ".bin")
SAFETENSORS = ".safetensors"
CONVOLUTIONS = ".npz"
SUFFIXES = (*STATE_DICTIONARIES, SAFETENSORS, CONVOLUTIONS)


@dataclass(frozen=True, eq=False)
class EncoderFile:
    """The weights of a trained image encoder; nothing says yet which one it is.

    Args:
        path: the file that the user named.
        bytes_on_disk, sha256: of that file.
        weights: state dictionary, float32 and dense, by the trainer's names; or convolutions in the
            order in which they run, batch norm folded already.
        encoder: its name, where the file says it: then `weights` has `<layer>.weight` and
            `<layer>.bias`, batch norm folded.
    """

    path: Path
    bytes_on_disk: int
    sha256: str
    weights: "Mapping[str, Tensor] | tuple[StoredConvolution, ...]"
    encoder: str | None = None


def read_encoder_file(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> EncoderFile:
    """Read a .pth, a .safetensors, or a .npz of convolutions (see the README of `checkpoint`).

    Raises:
        CheckpointError: the file is missing, damaged, hostile, or of another kind.
    """
    if path.suffix not in SUFFIXES:
        raise CheckpointError(
            "this is no weights file of an image encoder",
            where=str(path),
            hint=f"give one of {', '.join(SUFFIXES)}",
        )
    data = _read(path, limits.weights_bytes)
    encoder = encoder_name(data) if path.suffix == SAFETENSORS else None
    weights = _weights(data, path, limits, folded=encoder is not None)
    return EncoderFile(path, len(data), hashlib.sha256(data).hexdigest(), weights, encoder)


def _weights(
    data: bytes, path: Path, limits: Limits, *, folded: bool
) -> "Mapping[str, Tensor] | tuple[StoredConvolution, ...]":
    if path.suffix == CONVOLUTIONS:
        return read_convolutions(data, str(path), limits)
    read = read_safetensors if path.suffix == SAFETENSORS else read_tensors
    tensors = (read_folded if folded else read)(data, str(path), limits)
    require_finite(tensors, str(path))
    return tensors


def _read(path: Path, most: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > most:
            raise CheckpointError(
                f"the file has {size} bytes, more than {most}",
                where=str(path),
                hint="is this really an image encoder?",
            )
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"the weights file cannot be read: {error.strerror}",
            where=str(path),
            hint="check the path and its permissions",
        ) from error
