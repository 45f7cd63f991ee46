"""Trainers' files into a Checkpoint: config, dense pruned weights, vocabulary, decoding rule."""

from capexport.checkpoint.capexport_format.compact import Storage
from capexport.checkpoint.capexport_format.writer import check_target, write_checkpoint
from capexport.checkpoint.checkpoint import BUFFERS, Checkpoint
from capexport.checkpoint.limits import Limits
from capexport.checkpoint.readers import READERS, read_checkpoint
from capexport.checkpoint.statistics import LayerStatistics

__all__ = [
    "BUFFERS",
    "READERS",
    "Checkpoint",
    "LayerStatistics",
    "Limits",
    "Storage",
    "check_target",
    "read_checkpoint",
    "write_checkpoint",
]
