"""An IR graph becomes the bytes of an ONNX file; only packed weights need operators of our own."""

from capexport.writers.onnx.assembly import write
from capexport.writers.onnx.operators import count_operators
from capexport.writers.onnx.registry import registered

__all__ = ["count_operators", "registered", "write"]
