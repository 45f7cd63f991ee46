"""Trainers' files into a Checkpoint: config, dense pruned weights, vocabulary, decoding rule."""

from capexport.checkpoint.capexport_format.writer import write_checkpoint
from capexport.checkpoint.checkpoint import Checkpoint
from capexport.checkpoint.limits import Limits
from capexport.checkpoint.readers import READERS, read_checkpoint
from capexport.checkpoint.statistics import LayerStatistics

__all__ = [
    "READERS",
    "Checkpoint",
    "LayerStatistics",
    "Limits",
    "read_checkpoint",
    "write_checkpoint",
]
