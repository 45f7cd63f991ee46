"""A model*.pth and its infos_*.pkl into a Checkpoint."""

from capexport.checkpoint.checkpoint import Checkpoint
from capexport.checkpoint.image_captioning_pytorch import config as options
from capexport.checkpoint.image_captioning_pytorch.files import (
    choose_infos,
    choose_weights,
    infos_files,
)
from capexport.checkpoint.image_captioning_pytorch.infos import read_infos
from capexport.checkpoint.lineage import Reader
from capexport.checkpoint.source import Source
from capexport.checkpoint.tensors import read_tensors, require_finite
from capexport.checkpoint.torch_pruned import fold_masks
from capexport.spec.vocabulary import Vocabulary

LINEAGE = "image-captioning-pytorch"
END = ""
"""The piece of id 0, which begins, ends and pads captions and is no word."""
CONTINUATION = "@@"
"""Ends a piece that goes on (subword-nmt); the trainer deletes it with the blank after it."""


def recognises(source: Source) -> bool:
    """Only this trainer writes infos_*.pkl."""
    return bool(infos_files(source))


def read(source: Source, weights_file: str | None) -> Checkpoint:
    """The checkpoint in `source`; `weights_file` names the .pth when the user chose one."""
    weights_file = weights_file or choose_weights(source)
    infos_file = choose_infos(source, weights_file)
    infos = read_infos(source.read(infos_file), source.where(infos_file))
    config = options.normalised(infos, source.where(infos_file))
    decoding = options.decoding(config, infos.words, source.where(infos_file))
    data = source.read(weights_file)
    where = source.where(weights_file)
    tensors = fold_masks(read_tensors(data, where, source.limits), where)
    require_finite(tensors, where)
    return Checkpoint(
        path=source.path,
        weights_file=weights_file,
        lineage=LINEAGE,
        architecture=config["caption_model"],
        config=config,
        tensors=tensors,
        vocabulary=Vocabulary((END, *infos.words), continuation=CONTINUATION),
        decoding=decoding,
        bytes_on_disk=len(data),
        sha256=dict(sorted(source.sha256.items())),
    )


READER = Reader(LINEAGE, "model*.pth, infos_*.pkl", recognises, read)
