"""An image encoder's weights file: a state dictionary, or convolutions in a row."""

from capexport.checkpoint.image_encoder.convolutions import StoredConvolution
from capexport.checkpoint.image_encoder.file import EncoderFile, read_encoder_file

__all__ = ["EncoderFile", "StoredConvolution", "read_encoder_file"]
