"""Names in a checkpoint folder of capexport's own, and the version of its format."""

from capexport.checkpoint.source import CONFIG, SAFETENSORS

LINEAGE = "capexport"
FORMAT = "capexport-checkpoint"
VERSION = 3
"""Version that this code writes; it reads this one and older ones. 1 has dense weights only, 2 no
tables that are computed from their shape."""
WITH_IMAGE = 2
"""First version with a place for an image encoder."""

WEIGHTS_FILE = "model" + SAFETENSORS
VOCABULARY = "vocabulary.json"
FILES = (CONFIG, WEIGHTS_FILE, VOCABULARY)

MASK = "_pruning_mask"
"""End of the names of masks: uint8 of the weight's shape, 1 keeps an element."""
