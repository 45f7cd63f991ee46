"""config.json, model.safetensors and vocabulary.json into a Checkpoint."""

from collections.abc import Mapping
from dataclasses import replace

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from capexport.checkpoint.capexport_format.compact import expanded
from capexport.checkpoint.capexport_format.document import HINT, read_document, read_json
from capexport.checkpoint.capexport_format.layout import LINEAGE, MASK, VOCABULARY, WEIGHTS_FILE
from capexport.checkpoint.checkpoint import Checkpoint
from capexport.checkpoint.lineage import Reader
from capexport.checkpoint.source import CONFIG, Source
from capexport.checkpoint.tensors import check_elements, require_finite
from capexport.errors import CheckpointError
from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import Vocabulary


def recognises(source: Source) -> bool:
    """Whether the weights have the name that only this format gives them."""
    return source.size(WEIGHTS_FILE) is not None


def read(source: Source, weights_file: str | None) -> Checkpoint:
    """The checkpoint in `source`. CheckpointError when another file of weights was named."""
    if weights_file not in (None, WEIGHTS_FILE):
        raise CheckpointError(
            f"{weights_file} is not the weights of this checkpoint",
            where=str(source.path),
            hint=f"pass the folder, or move {WEIGHTS_FILE} out of it",
        )
    document = read_document(source.read(CONFIG), source.where(CONFIG))
    pieces = _read_pieces(source.read(VOCABULARY), source.where(VOCABULARY))
    vocabulary = replace(document.vocabulary, pieces=pieces)
    _check_tokens(document.decoding, vocabulary, source.where(CONFIG))
    data = source.read(WEIGHTS_FILE)
    where = source.where(WEIGHTS_FILE)
    stored = _load(data, where)
    check_elements(stored, where, source.limits)
    masks = {name: tensor for name, tensor in stored.items() if name.endswith(MASK)}
    weights = {name: tensor for name, tensor in stored.items() if name not in masks}
    tensors = _masked(expanded(weights, where, source.limits), masks, where)
    require_finite(tensors, where)
    checkpoint = Checkpoint(
        path=source.path,
        weights_file=WEIGHTS_FILE,
        lineage=LINEAGE,
        architecture=document.architecture,
        config=document.config,
        tensors=tensors,
        vocabulary=vocabulary,
        decoding=document.decoding,
        bytes_on_disk=len(data),
        sha256=dict(sorted(source.sha256.items())),
        image_encoder=document.image_encoder,
        image=document.image,
    )
    _check_image_encoder(checkpoint, where)
    return checkpoint


def _check_image_encoder(checkpoint: Checkpoint, where: str) -> None:
    """An image encoder of its own has weights, a name and an image rule, or none of the three."""
    has_weights = bool(checkpoint.image_encoder_weights)
    if has_weights is not (checkpoint.image is not None):
        missing = "rule for its image" if has_weights else "weights"
        raise _wrong(f"the image encoder has no {missing}", where)
    if has_weights and checkpoint.image_encoder is None:
        raise _wrong("the image encoder has no name", where)


def _read_pieces(text: bytes, where: str) -> tuple[str, ...]:
    pieces = read_json(text, list, where)
    if not pieces or not all(isinstance(piece, str) for piece in pieces):
        raise CheckpointError("the vocabulary is no array of words", where=where, hint=HINT)
    return tuple(pieces)


def _check_tokens(decoding: Decoding, vocabulary: Vocabulary, where: str) -> None:
    tokens = (decoding.bos, decoding.eos, decoding.pad, decoding.unk or 0)
    if max(tokens) >= len(vocabulary):
        raise CheckpointError(
            f"token {max(tokens)} is beyond the {len(vocabulary)} of the vocabulary",
            where=where,
            hint=HINT,
        )


def _load(data: bytes, where: str) -> dict[str, Tensor]:
    try:
        # The library gives another order each time, and training depends on it.
        tensors: dict[str, Tensor] = dict(sorted(safetensors.torch.load(data).items()))
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"the weights are damaged: {str(error)[:200]}", where=where, hint="write them again"
        ) from error
    return tensors


def _masked(
    weights: dict[str, Tensor], masks: Mapping[str, Tensor], where: str
) -> dict[str, Tensor]:
    """The weights, 0 wherever a mask says so."""
    for name, mask in masks.items():
        weight = weights.get(name.removesuffix(MASK))
        _check_mask(mask, weight, f"{where}: {name}")
    # where, not a product: what the mask hides may be anything, infinite too
    return {
        name: torch.where(masks[name + MASK] != 0, weight, 0) if name + MASK in masks else weight
        for name, weight in weights.items()
    }


def _check_mask(mask: Tensor, weight: Tensor | None, where: str) -> None:
    if weight is None or weight.shape != mask.shape:
        raise _wrong("the mask has no weight of its shape", where)
    if mask.dtype != torch.uint8 or (mask > 1).any():
        raise _wrong("the mask holds something else than uint8 0 and 1", where)


def _wrong(what: str, where: str) -> CheckpointError:
    return CheckpointError(what, where=where, hint=HINT)


READER = Reader(LINEAGE, f"{CONFIG}, {WEIGHTS_FILE}, {VOCABULARY}", recognises, read)
