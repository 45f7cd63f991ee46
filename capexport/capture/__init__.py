"""torch modules -> IR graphs."""

from capexport.capture import shape_importers  # its importers register themselves
from capexport.capture.capture import capture

__all__ = ["capture", "shape_importers"]
