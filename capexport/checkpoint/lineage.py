"""What a lineage's reader offers to the table of readers."""

from collections.abc import Callable
from dataclasses import dataclass

from capexport.checkpoint.checkpoint import Checkpoint
from capexport.checkpoint.source import Source


@dataclass(frozen=True)
class Reader:
    """One trainer's file layout.

    Args:
        lineage: name of the trainer, as it appears in manifests.
        expects: the files it needs, for error messages.
        recognises: whether the files look like this trainer's; reads nothing large.
        read: files, and the .pth the user named if any, into a Checkpoint.
    """

    lineage: str
    expects: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source, str | None], Checkpoint]
