"""An image encoder's weights file: a state dictionary, or convolutions in a row."""

from capexport.checkpoint.image_encoder.convolutions import StoredConvolution
from capexport.checkpoint.image_encoder.file import EncoderFile, read_encoder_file
from capexport.checkpoint.image_encoder.folded import check_encoder_target, write_image_encoder

__all__ = [
    "EncoderFile",
    "StoredConvolution",
    "check_encoder_target",
    "read_encoder_file",
    "write_image_encoder",
]
