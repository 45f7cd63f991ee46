"""Trainers' files into a Checkpoint: config, dense pruned weights, vocabulary, decoding rule."""

from capexport.checkpoint.capexport_format.compact import Storage
from capexport.checkpoint.capexport_format.places import sine_table
from capexport.checkpoint.capexport_format.writer import check_target, write_checkpoint
from capexport.checkpoint.checkpoint import BUFFERS, IMAGE_ENCODER, Checkpoint
from capexport.checkpoint.limits import LONGEST_CAPTION, Limits
from capexport.checkpoint.readers import READERS, read_checkpoint
from capexport.checkpoint.statistics import LayerStatistics

__all__ = [
    "BUFFERS",
    "IMAGE_ENCODER",
    "LONGEST_CAPTION",
    "READERS",
    "Checkpoint",
    "LayerStatistics",
    "Limits",
    "Storage",
    "check_target",
    "read_checkpoint",
    "sine_table",
    "write_checkpoint",
]
