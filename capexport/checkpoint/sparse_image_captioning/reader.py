"""config.json, a model_best*.pth and tokenizer/word.vocab into a Checkpoint."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from capexport.checkpoint.checkpoint import Checkpoint
from capexport.checkpoint.lineage import Reader
from capexport.checkpoint.source import CONFIG, WEIGHTS, Source
from capexport.checkpoint.sparse_image_captioning.config import RADIX, read_config
from capexport.checkpoint.sparse_image_captioning.masks import apply_masks, split_masks
from capexport.checkpoint.sparse_image_captioning.words import (
    read_radix_vocabulary,
    read_vocabulary,
)
from capexport.checkpoint.tensors import read_tensors, require_finite
from capexport.errors import CheckpointError
from capexport.spec.decoding import Decoding

LINEAGE = "sparse-image-captioning"
VOCABULARY = "tokenizer/word.vocab"
HALF = "_float16"

PREFERENCE = tuple(
    f"model_best{kind}{precision}.pth"
    for precision in ("", HALF)
    for kind in ("_pruned_sparse", "_pruned", "_bin_mask", "")
)
"""Which file to read of several: full precision first, then the one that needs least work."""

EMBEDDINGS: Mapping[str, str] = {
    "up_down_lstm": "embed.0.weight",
    "relation_transformer": "model.tgt_embed.0.lut.weight",
    "transformer": "core.tgt_embed.0.lut.weight",
}
"""Where each architecture keeps its word vectors [vocabulary, width]."""


def recognises(source: Source) -> bool:
    """Only this trainer writes a config.json; a broken folder fails in `read`, with a reason."""
    return source.size(CONFIG) is not None


def read(source: Source, weights_file: str | None) -> Checkpoint:
    """The checkpoint in `source`; `weights_file` names the .pth when the user chose one."""
    weights_file = weights_file or choose_weights(source)
    config = read_config(source.read(CONFIG), source.where(CONFIG))
    read_words = read_radix_vocabulary if config["tokenizer"] == RADIX else read_vocabulary
    vocabulary = read_words(source.read(VOCABULARY), config, source.where(VOCABULARY))
    data = source.read(weights_file)
    where = source.where(weights_file)
    weights, masks = split_masks(read_tensors(data, where, source.limits))
    require_finite(weights, where)
    _check_embedding(weights, config, where)
    return Checkpoint(
        path=source.path,
        weights_file=weights_file,
        lineage=LINEAGE,
        architecture=config["caption_model"],
        config=config,
        tensors=apply_masks(weights, masks, config, where),
        vocabulary=vocabulary,
        decoding=_decoding(config),
        bytes_on_disk=len(data),
        sha256=dict(sorted(source.sha256.items())),
    )


def choose_weights(source: Source) -> str:
    """The first of PREFERENCE that exists, else the only .pth there is."""
    names = source.names(WEIGHTS)
    for name in PREFERENCE:
        if name in names:
            return name
    if len(names) == 1:
        return names[0]
    if not names:
        raise CheckpointError(
            "there is no .pth file", where=str(source.path), hint=f"it needs {READER.expects}"
        )
    raise CheckpointError(
        f"there are {len(names)} .pth files and none has a name that the trainer gives",
        where=str(source.path),
        hint=f"pass the path of one of them: {', '.join(names[:5])}",
    )


def _check_embedding(weights: Mapping[str, Tensor], config: Mapping[str, Any], where: str) -> None:
    key = EMBEDDINGS.get(config["caption_model"])
    if key is None:  # an architecture for captioner/ to refuse
        return
    if key not in weights or weights[key].ndim != 2:
        raise CheckpointError(
            f"there is no matrix {key}",
            where=where,
            hint=f"the weights are not those of a {config['caption_model']} (config.json)",
        )
    rows = weights[key].shape[0]
    if rows != config["vocab_size"]:
        raise CheckpointError(
            f"the word embedding has {rows} rows, vocab_size is {config['vocab_size']}",
            where=f"{where}: {key}",
            hint="take the weights and config.json from the same training run",
        )


def _decoding(config: Mapping[str, Any]) -> Decoding:
    return Decoding(
        bos=config["bos_token_id"],
        eos=config["eos_token_id"],
        pad=config["pad_token_id"],
        unk=None if config["tokenizer"] == RADIX else config["unk_token_id"],
        max_length=config["max_seq_length"],
        beam=config["beam_size_test"],
        suppress_unk=False,  # the trainer's option tests an attribute that never exists
    )


READER = Reader(LINEAGE, f"{CONFIG}, model_best*.pth, {VOCABULARY}", recognises, read)
