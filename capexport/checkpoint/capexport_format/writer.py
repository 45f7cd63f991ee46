"""A captioner's tensors, configuration and words into a checkpoint folder of capexport's own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from capexport.checkpoint.capexport_format.compact import Storage, compacted
from capexport.checkpoint.capexport_format.document import Document, document_text, json_text
from capexport.checkpoint.capexport_format.layout import (
    FILES,
    FORMAT,
    MASK,
    VOCABULARY,
    WEIGHTS_FILE,
)
from capexport.checkpoint.checkpoint import Checkpoint
from capexport.checkpoint.source import CONFIG
from capexport.errors import InputError, UnsupportedError
from capexport.outputs import check_output, whole_folder


def write_checkpoint(
    out: Path,
    checkpoint: Checkpoint,
    *,
    storage: Storage = "float32",
    masks: Mapping[str, Tensor] | None = None,
    force: bool = False,
) -> None:
    """Write the checkpoint in capexport's own format; nothing appears at `out` before it is whole.

    The same checkpoint gives the same bytes.

    Args:
        out: folder to create; its parent must exist.
        checkpoint: of any lineage; `config` must hold JSON values.
        storage: of matrices and convolutions. float32 changes no weight, float16 rounds, int8
            rounds per row what is hardly pruned and is float16 otherwise.
        masks: which elements of a weight are kept, by the weight's name. What they hide is kept in
            the file, in float32, so that training can go on; readers see zeros.
        force: replace a checkpoint of this format that is at `out`; never anything else.

    Raises:
        UnsupportedError: the captioner takes pictures otherwise than by an image encoder of
            its own: the format has no place for that; or a weight is beyond `storage`'s range.
        InputError: `out` exists, its parent does not, or a file cannot be written.
        ValueError: a mask without a weight of its shape, or a configuration that is no JSON.
    """
    if checkpoint.image is not None and not checkpoint.image_encoder_weights:
        raise UnsupportedError(
            f"a captioner of pictures ({checkpoint.architecture}) has no place in this format",
            where=str(checkpoint.path),
            hint="prune it with torch.nn.utils.prune and save it with save_pretrained",
        )
    contents = _contents(checkpoint, storage, masks or {})
    check_target(out, force=force)
    try:
        with whole_folder(out) as staged:
            for name, data in contents.items():
                (staged / name).write_bytes(data)
    except OSError as error:
        raise InputError(
            f"the checkpoint cannot be written: {error.strerror}",
            where=str(out),
            hint="check free space and permissions of the parent folder",
        ) from error


def _contents(
    checkpoint: Checkpoint, storage: Storage, masks: Mapping[str, Tensor]
) -> dict[str, bytes]:
    document = Document(
        architecture=checkpoint.architecture,
        config=checkpoint.config,
        vocabulary=replace(checkpoint.vocabulary, pieces=()),
        decoding=checkpoint.decoding,
        image_encoder=checkpoint.image_encoder,
        image=checkpoint.image,
    )
    return {
        CONFIG: document_text(document),
        VOCABULARY: json_text(list(checkpoint.vocabulary.pieces)),
        WEIGHTS_FILE: _weights(checkpoint.tensors, storage, masks),
    }


def _weights(tensors: Mapping[str, Tensor], storage: Storage, masks: Mapping[str, Tensor]) -> bytes:
    for name, mask in masks.items():
        if name not in tensors or mask.shape != tensors[name].shape:
            raise ValueError(f"there is no weight {name} of the mask's shape")
    stored = compacted({n: t for n, t in tensors.items() if n not in masks}, storage)
    for name, mask in masks.items():
        stored[name] = tensors[name].detach().to("cpu", torch.float32)
        stored[name + MASK] = (mask != 0).to("cpu", torch.uint8)
    # copies: safetensors refuses tensors that share memory, as shared layers do
    copies = {name: tensor.contiguous().clone() for name, tensor in stored.items()}
    return safetensors.torch.save(copies, {"format": FORMAT})


def check_target(out: Path, *, force: bool) -> None:
    """Raise InputError unless `write_checkpoint` may write to `out`."""
    check_output(out, force=force, kind="checkpoint of capexport", is_of_kind=_is_checkpoint)


def _is_checkpoint(folder: Path) -> bool:
    return folder.is_dir() and {entry.name for entry in folder.iterdir()} == set(FILES)
