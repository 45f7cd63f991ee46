"""One file per operator family; importing this package fills the table of visitors.

No lowering writes the length of a named axis into the file.
"""

from capexport.writers.tflite.lowering import VISITORS
from capexport.writers.tflite.visitors import images, layer_norm, linear, packed, pointwise, shaping

__all__ = ["VISITORS", "images", "layer_norm", "linear", "packed", "pointwise", "shaping"]
