"""An IR graph becomes the bytes of a plain ONNX file that needs no custom operator."""

from capexport.writers.onnx.assembly import write
from capexport.writers.onnx.registry import registered

__all__ = ["registered", "write"]
