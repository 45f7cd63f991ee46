"""One file per operator family; importing this package fills the table of visitors."""

from capexport.writers.onnx.registry import VISITORS
from capexport.writers.onnx.visitors import (
    embedding,
    images,
    linear,
    pointwise,
    shaping,
    static_int8,
)

__all__ = ["VISITORS", "embedding", "images", "linear", "pointwise", "shaping", "static_int8"]
