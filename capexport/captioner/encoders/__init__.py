"""Image encoders by name: a weights file -> a torch module, one file per architecture."""

from capexport.captioner.encoders.build import (
    build_image_encoder,
    own_image_encoder,
    parse_encoder,
    read_image_encoder,
)
from capexport.captioner.encoders.folded import folded_body, folded_weights
from capexport.captioner.encoders.image_encoder import ImageEncoder
from capexport.captioner.encoders.table import ENCODERS, expected_shapes

__all__ = [
    "ENCODERS",
    "ImageEncoder",
    "build_image_encoder",
    "expected_shapes",
    "folded_body",
    "folded_weights",
    "own_image_encoder",
    "parse_encoder",
    "read_image_encoder",
]
