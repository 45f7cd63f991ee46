"""A path into a Checkpoint: finds the files, asks each lineage whether they are its own."""

import zipfile
from pathlib import Path

from capexport.checkpoint.capexport_format.reader import READER as CAPEXPORT
from capexport.checkpoint.checkpoint import Checkpoint
from capexport.checkpoint.hugging_face.reader import READER as HUGGING_FACE
from capexport.checkpoint.image_captioning_pytorch.reader import (
    READER as IMAGE_CAPTIONING_PYTORCH,
)
from capexport.checkpoint.limits import DEFAULT_LIMITS, Limits
from capexport.checkpoint.lineage import Reader
from capexport.checkpoint.source import LARGE, FolderSource, Source, ZipSource
from capexport.checkpoint.sparse_image_captioning.reader import READER as SPARSE_IMAGE_CAPTIONING
from capexport.errors import CheckpointError

READERS: dict[str, Reader] = {
    reader.lineage: reader
    for reader in (  # one line per lineage; the first that recognises wins
        HUGGING_FACE,
        CAPEXPORT,
        SPARSE_IMAGE_CAPTIONING,
        IMAGE_CAPTIONING_PYTORCH,
    )
}


def read_checkpoint(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Checkpoint:
    """Read a trainer's checkpoint.

    Args:
        path: a folder, a .zip of such a folder (its files at the top or one folder down), or one
            file of weights in a folder. Which of several is taken is the lineage's own order.
        limits: bounds on sizes; raise them only for a file that you trust.

    Raises:
        CheckpointError: the files are missing, damaged, hostile or contradict each other.
        UnsupportedError: the files are sound, but of a kind that no reader knows.
    """
    source, weights_file = _open(path, limits)
    for reader in READERS.values():
        if reader.recognises(source):
            return reader.read(source, weights_file)
    known = "; ".join(f"{reader.lineage} ({reader.expects})" for reader in READERS.values())
    raise CheckpointError(
        "this is not a checkpoint that capexport knows", where=str(path), hint=f"it reads: {known}"
    )


def _open(path: Path, limits: Limits) -> tuple[Source, str | None]:
    """Where the files lie, and the name of the weights file when the user named one."""
    if path.is_dir():
        return FolderSource(path, limits), None
    if not path.is_file():
        raise CheckpointError(
            "there is no such file or folder",
            where=str(path),
            hint="check the spelling of the path",
        )
    if path.suffix in LARGE:
        return FolderSource(path.parent, limits), path.name
    if path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        return ZipSource(path, limits), None
    raise CheckpointError(
        "this file is neither weights nor a .zip",
        where=str(path),
        hint="pass the checkpoint's folder, a .zip of it, or its file of weights",
    )
